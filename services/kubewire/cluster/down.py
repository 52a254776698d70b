"""Ending a cluster, and removing it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Final

from kubewire.cluster.errors import InvalidRequest
from kubewire.cluster.home import Home
from kubewire.cluster.teardown import end_everything
from kubewire.cluster.up import exclusive

_OWN: Final = frozenset(
    {
        "kubeconfig", "pki", "token", "etcd", "logs", "nodes", "cluster.json", "wanted.json", "lock",
        "supervisor.lock", "run", "fabric.json", "etcd.sock:0", "peer.sock:0",
    }
)  # fmt: skip


def down(home: Home, progress: Callable[[str], None], *, purge: bool) -> bool:
    """End every process of the cluster; with `purge` remove its folder too. False if nothing ran.

    Ending twice is harmless. What the cluster holds stays in its folder, and `up` goes on from there.
    """
    if not home.path.exists():
        return False
    with exclusive(home):
        ended = end_everything(home)
        if ended:
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
    foreign = sorted(entry.name for entry in home.path.iterdir() if entry.name not in _OWN)
    if foreign:
        listed = ", ".join(foreign)
        raise InvalidRequest(f"{home.path} holds {listed}, which is not Kubewire's: remove the folder yourself")
    shutil.rmtree(home.path)
