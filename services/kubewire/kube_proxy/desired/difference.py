"""What remains to be done: from what is programmed to what is desired. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from kubewire.kube_proxy.desired.model import Frontend, Rule, Rules


class Difference(NamedTuple):
    """Rules to program, in place of what their frontends have, and frontends that shall have none."""

    put: tuple[Rule, ...] = ()
    remove: tuple[Frontend, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.put or self.remove)


def difference(desired: Rules, programmed: Rules, frontends: Iterable[Frontend] | None = None) -> Difference:
    """What differs, among some frontends or among all."""
    if frontends is None:
        frontends = (*desired, *(one for one in programmed if one not in desired))
    put, remove = [], []
    for frontend in frontends:
        wanted = desired.get(frontend)
        if wanted is None:
            if frontend in programmed:
                remove.append(frontend)
        elif programmed.get(frontend) != wanted:
            put.append(wanted)
    return Difference(tuple(put), tuple(remove))
