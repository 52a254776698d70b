"""Where kube-proxy's errors are drawn.

component.errors.StartError
├── AddressNotListenedOn   a port of its own is taken, or the address is none of this node's
└── BackendNotUsable       the kernel lacks what the mode needs, or the process lacks the right to it
BackendFailed              a transaction was refused, or rules could not be read; trying again helps
machinery.errors           StatusError: what the API server answered; watches are tried again by themselves
"""

from __future__ import annotations

from kubewire.component.errors import StartError


class AddressNotListenedOn(StartError):
    """A port of kube-proxy's own is taken, or the address is none of this node's."""


class BackendNotUsable(StartError):
    """Rules cannot be programmed on this machine in this mode."""


class BackendFailed(Exception):
    """Rules were not programmed or not read; nothing was changed. Read what there is, and try again."""
