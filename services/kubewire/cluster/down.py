"""Ending a cluster, and removing it."""

from __future__ import annotations

import shutil
from collections.abc import Callable

from kubewire.cluster import processes, state
from kubewire.cluster.errors import InvalidRequest
from kubewire.cluster.home import Home
from kubewire.cluster.up import exclusive

_GRACE_SECONDS = 20.0


def down(home: Home, progress: Callable[[str], None], *, purge: bool) -> bool:
    """End every process of the cluster; with `purge` remove its folder too. False if nothing ran.

    Ending twice is harmless. What the cluster holds stays in its folder, and `up` goes on from there.
    """
    if not home.path.exists():
        return False
    with exclusive(home):
        found = state.read(home)
        ended = False
        if found is not None:
            ended = processes.terminate(found.control_plane, grace_seconds=_GRACE_SECONDS)
            processes.terminate(found.etcd, grace_seconds=_GRACE_SECONDS)
            home.state.unlink(missing_ok=True)
            progress("processes ended")
        if purge:
            _remove(home)
            progress(f"{home.path} removed")
    return ended


def _remove(home: Home) -> None:
    """Remove the folder, after making sure that it is a cluster's.

    Raises:
        InvalidRequest: the folder holds things that no cluster wrote.
    """
    own = {"kubeconfig", "pki", "token", "etcd", "logs", "cluster.json", "lock", "etcd.sock:0", "peer.sock:0"}
    foreign = sorted(entry.name for entry in home.path.iterdir() if entry.name not in own)
    if foreign:
        listed = ", ".join(foreign)
        raise InvalidRequest(f"{home.path} holds {listed}, which is not Kubewire's: remove the folder yourself")
    shutil.rmtree(home.path)
