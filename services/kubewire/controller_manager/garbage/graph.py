"""Who owns what: all objects of the cluster by uid, with their owners and dependents. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from kubewire.api.meta.v1.object_meta_pb2 import ObjectMeta, OwnerReference
from kubewire.machinery.gvk import GroupVersionResource

ORPHAN: Final = "orphan"
FOREGROUND: Final = "foregroundDeletion"


class Found(NamedTuple):
    """An object of the cluster. Read-only."""

    resource: GroupVersionResource
    metadata: ObjectMeta

    @property
    def owners(self) -> Sequence[OwnerReference]:
        """Whom it belongs to."""
        return self.metadata.ownerReferences

    @property
    def is_going(self) -> bool:
        """Whether it was asked to go."""
        return self.metadata.HasField("deletionTimestamp")

    def waits_with(self, finalizer: str) -> bool:
        """Whether it was asked to go, and a finalizer of the garbage collector holds it."""
        return self.is_going and finalizer in self.metadata.finalizers


class Graph:
    """Kept up by the informers of all kinds."""

    def __init__(self) -> None:
        self._objects: dict[str, Found] = {}
        self._dependents: dict[str, dict[str, None]] = {}

    def __len__(self) -> int:
        return len(self._objects)

    def get(self, uid: str) -> Found | None:
        """An object."""
        return self._objects.get(uid)

    def dependents(self, uid: str) -> list[Found]:
        """The objects that name one as their owner, which need not be there."""
        return [self._objects[one] for one in self._dependents.get(uid, ())]

    def put(self, found: Found) -> list[str]:
        """An object is there, or has changed; returns the uids of what is to be looked at."""
        uid = found.metadata.uid
        before = self._objects.get(uid)
        self._unlink(uid)
        self._objects[uid] = found
        for owner in found.owners:
            self._dependents.setdefault(owner.uid, {})[uid] = None
        affected = _affected(before, found)
        if affected and found.waits_with(FOREGROUND):
            # What it waits for has to go first.
            affected += self._dependents.get(uid, ())
        return affected

    def remove(self, uid: str) -> list[str]:
        """An object is gone; returns the uids of what is to be looked at: what it owned, and who waited for its end."""
        gone = self._objects.get(uid)
        if gone is None:
            return []
        self._unlink(uid)
        del self._objects[uid]
        waiting = [one.uid for one in gone.owners if self._is_waiting(one.uid)]
        return [*self._dependents.get(uid, ()), *waiting]

    def _is_waiting(self, uid: str) -> bool:
        owner = self._objects.get(uid)
        return owner is not None and owner.waits_with(FOREGROUND)

    def _unlink(self, uid: str) -> None:
        before = self._objects.get(uid)
        for owner in before.owners if before is not None else ():
            known = self._dependents.get(owner.uid)
            if known is not None:
                known.pop(uid, None)
                if not known:
                    del self._dependents[owner.uid]


def _affected(before: Found | None, found: Found) -> list[str]:
    """The object itself if it has owners or is held for us; and owners it has left, which may wait for it."""
    uids = [found.metadata.uid] if found.owners or _is_ours(found) else []
    if before is not None:
        uids += _uids(before.owners, without=found.owners)
        if _says_the_same(before, found):
            return []
    return uids


def _says_the_same(before: Found, found: Found) -> bool:
    """Whether nothing has changed that matters here, as with most updates."""
    was, now = before.metadata, found.metadata
    return (
        before.is_going == found.is_going
        and list(was.ownerReferences) == list(now.ownerReferences)
        and list(was.finalizers) == list(now.finalizers)
    )


def _is_ours(found: Found) -> bool:
    return found.waits_with(ORPHAN) or found.waits_with(FOREGROUND)


def _uids(owners: Iterable[OwnerReference], *, without: Iterable[OwnerReference]) -> list[str]:
    kept = {one.uid for one in without}
    return [one.uid for one in owners if one.uid not in kept]
