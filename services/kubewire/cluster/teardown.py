"""Ending all processes of a cluster in an order in which each can still do its part, whatever is left of it."""

from __future__ import annotations

from typing import Final

from kubewire.cluster import machines, processes, state
from kubewire.cluster.components import CONTROL_PLANE, ETCD
from kubewire.cluster.home import Home
from kubewire.cluster.hosting.table import APISERVER
from kubewire.cluster.processes import ProcessId

_GRACE_SECONDS: Final = 20.0
_ROUNDS: Final = 5
_LAST: Final[tuple[tuple[str, ...], ...]] = ((CONTROL_PLANE, APISERVER), (ETCD,))
"""What ends after all others, in this order."""


def end_everything(home: Home) -> bool:
    """End it; False if nothing ran. Doing it twice is harmless.

    The supervisor ends first, so that nothing is started anew; at the end whatever the state file does not know.
    """
    found = state.read(home)
    ended: list[ProcessId] = []
    if found is not None:
        ended += processes.terminate_all([found.supervisor], grace_seconds=_GRACE_SECONDS)
        for group in waves(list(found.components)):
            known = [found.components[name].process for name in group]
            living = [one for one in known if one is not None]
            ended += processes.terminate_all(living, grace_seconds=_GRACE_SECONDS)
    machines.unmake(home)
    for _ in range(_ROUNDS):  # a supervisor among them may have started one more meanwhile
        strays = list(processes.strays(home.path))
        if not strays:
            break
        ended += processes.terminate_all(strays, grace_seconds=_GRACE_SECONDS)
    home.state.unlink(missing_ok=True)
    home.wanted.unlink(missing_ok=True)
    return bool(ended)


def waves(names: list[str]) -> list[list[str]]:
    """Components that end side by side; each wave waits for the one before it."""
    last = [name for wave in _LAST for name in wave]
    return [[name for name in names if name not in last], *([name for name in wave if name in names] for wave in _LAST)]
