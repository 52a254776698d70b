"""What can go wrong with a local cluster.

ClusterError
├── InvalidRequest      the caller asked for something impossible; asking differently helps
├── MissingProgram      a program has to be installed first
├── NotRunning          there is no such cluster; `kubewire up` starts one
└── StartFailed         a part did not come up; its log says why
"""

from __future__ import annotations


class ClusterError(Exception):
    """Base of all; its text is meant for the person at the terminal."""


class InvalidRequest(ClusterError):
    """The request cannot be carried out as it is."""


class MissingProgram(ClusterError):
    """A program that a cluster needs is not installed."""


class NotRunning(ClusterError):
    """No cluster of this name runs."""


class StartFailed(ClusterError):
    """A part of the cluster ended, or was not ready in time."""
