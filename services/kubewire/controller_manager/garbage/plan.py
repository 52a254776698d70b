"""What becomes of one object. Pure.

An object that is being deleted and carries the finalizer `orphan` has its dependents let go; with `foregroundDeletion`
it waits until those that block it are gone. Any other object with owners stays as long as one of them is there and
stays; if none is left it goes, and if one goes in the foreground it goes with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from kubewire.client.resources.options import Propagation
from kubewire.controller_manager.garbage.graph import FOREGROUND, ORPHAN, Found


class Owner(Enum):
    """What is known of an owner."""

    GONE = "gone"
    STAYS = "stays"
    WAITS = "waits"
    """It is being deleted in the foreground, and this dependent blocks it."""


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete an object, if it still is what was decided on."""

    found: Found
    propagation: Propagation


@dataclass(frozen=True, slots=True)
class Disown:
    """Take owners out of an object's references."""

    found: Found
    owners: Sequence[str]


@dataclass(frozen=True, slots=True)
class Finish:
    """Take the garbage collector's finalizer off an object: it may go now."""

    found: Found
    finalizer: str


Action = Delete | Disown | Finish


def plan(found: Found, owners: Mapping[str, Owner], dependents: Sequence[Found]) -> list[Action]:
    """The actions, in order; a `Finish` is for when all before it have succeeded.

    `owners` are told by uid, and only needed for an object that is not being deleted.
    """
    if found.waits_with(ORPHAN):
        return [*(Disown(one, [found.metadata.uid]) for one in dependents), Finish(found, ORPHAN)]
    if found.waits_with(FOREGROUND):
        return _foreground(found, dependents)
    if found.is_going or not found.owners:
        return []
    return _owned(found, owners, has_dependents=bool(dependents))


def is_blocking(dependent: Found, owner_uid: str) -> bool:
    """Whether an owner's deletion in the foreground waits for it."""
    return any(one.uid == owner_uid and one.blockOwnerDeletion for one in dependent.owners)


def _foreground(found: Found, dependents: Sequence[Found]) -> list[Action]:
    """Dependents decide for themselves whether they go; it is done when none of them blocks."""
    if any(is_blocking(one, found.metadata.uid) for one in dependents):
        return []
    return [Finish(found, FOREGROUND)]


def _owned(found: Found, owners: Mapping[str, Owner], *, has_dependents: bool) -> list[Action]:
    by_state = {state: [one.uid for one in found.owners if owners[one.uid] is state] for state in Owner}
    leaving = [*by_state[Owner.GONE], *by_state[Owner.WAITS]]
    if by_state[Owner.STAYS]:
        return [Disown(found, leaving)] if leaving else []
    if by_state[Owner.WAITS] and has_dependents:
        return [Delete(found, Propagation.FOREGROUND)]
    return [Delete(found, _own_wish(found))]


def _own_wish(found: Found) -> Propagation:
    """A finalizer it carries already says what its own dependents shall become."""
    finalizers = found.metadata.finalizers
    if ORPHAN in finalizers:
        return Propagation.ORPHAN
    return Propagation.FOREGROUND if FOREGROUND in finalizers else Propagation.BACKGROUND
