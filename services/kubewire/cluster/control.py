"""Stopping and starting single components on purpose, to see what the others do without them."""

from __future__ import annotations

import os
import signal
import time
from typing import Final

from kubewire.cluster import processes, state, wanted
from kubewire.cluster.components import CONTROL_PLANE
from kubewire.cluster.errors import InvalidRequest, NotRunning, StartFailed
from kubewire.cluster.home import Home
from kubewire.cluster.up import exclusive
from kubewire.cluster.wanted import TOGETHER, Wanted

_GRACE_SECONDS: Final = 20.0
_START_SECONDS: Final = 10.0
_AGENT: Final = "agent"


def stop(home: Home, role: str, node: str | None) -> list[str]:
    """End components and keep them ended; returns their names. Doing it twice is harmless.

    Without a node, those of all nodes.

    Raises:
        NotRunning, InvalidRequest: there is no such component.
    """
    with exclusive(home):
        found = state.running(home)
        names = selected(_wanted(home), role, node)
        wanted.write(home, _wanted(home).stopping(frozenset(names), is_stopped=True))
        _tell(found)
        living = [found.components[name].process for name in names if name in found.components]
        processes.terminate_all([one for one in living if one is not None], grace_seconds=_GRACE_SECONDS)
        return names


def start(home: Home, role: str, node: str | None) -> list[str]:
    """Start components that were stopped; returns their names once they run.

    Raises:
        NotRunning, InvalidRequest: there is no such component.
        StartFailed: the supervisor did not start them.
    """
    with exclusive(home):
        found = state.running(home)
        names = selected(_wanted(home), role, node)
        wanted.write(home, _wanted(home).stopping(frozenset(names), is_stopped=False))
        _tell(found)
        deadline = time.monotonic() + _START_SECONDS
        while not all(state.running(home).components[name].is_alive for name in names):
            if time.monotonic() > deadline:
                raise StartFailed(f"{', '.join(names)}: not started; `kubewire status` says more")
            time.sleep(0.01)
        return names


def selected(known: Wanted, role: str, node: str | None) -> list[str]:
    """The components meant by a role, on one node or on all.

    Raises:
        InvalidRequest: there is none, with what there is.
    """
    found = [one.name for one in known.components if one.role == role and node in (None, one.node)]
    if found:
        return found
    there = ", ".join(dict.fromkeys(one.role for one in known.components))
    where = f" on node {node}" if node else ""
    hint = ""
    if known.settings.processes == TOGETHER:
        hint = (
            f"; with --processes together {CONTROL_PLANE} and {_AGENT} hold several components: use --processes apart"
        )
    raise InvalidRequest(f"no process {role}{where}; there are {there}{hint}")


def _wanted(home: Home) -> Wanted:
    found = wanted.read(home)
    if found is None:
        raise NotRunning(f"{home.wanted} is missing: `kubewire up --name {home.name}` repairs the cluster")
    return found


def _tell(found: state.ClusterState) -> None:
    if found.supervisor.is_alive:
        os.kill(found.supervisor.pid, signal.SIGHUP)
