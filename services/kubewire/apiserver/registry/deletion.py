"""What asking for a deletion does to one object: the decision, without the write.

An object goes at once, or it is only marked (deletionTimestamp) and stays until its grace period or its finalizers
are over. Mirrors the API conventions for finalizers, cascading deletion and graceful deletion of pods.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from kubewire.apiserver.options import DeleteOptions
from kubewire.apiserver.registry.metadata import set_seconds
from kubewire.apiserver.strategy.contracts import Strategy
from kubewire.apiserver.strategy.metadata import metadata_of
from kubewire.machinery import errors
from kubewire.machinery.errors import StatusError
from kubewire.machinery.gvk import GroupResource

if TYPE_CHECKING:
    from collections.abc import Iterable

    from google.protobuf.message import Message

    from kubewire.api.meta.v1.object_meta_pb2 import ObjectMeta

ORPHAN: Final = "orphan"
FOREGROUND: Final = "foregroundDeletion"
_OF_POLICY: Final = {"Orphan": ORPHAN, "Foreground": FOREGROUND, "Background": ""}


class Step(Enum):
    """What to do with the object."""

    REMOVE = "remove it from the store"
    MARK = "write it as changed"
    KEEP = "nothing: its deletion is under way and this request adds nothing"


@dataclass(frozen=True, slots=True)
class Deletion:
    """How a kind's objects are deleted.

    `collects_garbage` False: the kind is nobody's dependent or owner (events), so no finalizer is ever added.
    """

    strategy: Strategy
    collects_garbage: bool = True

    def plan(self, obj: Message, options: DeleteOptions, now_seconds: int) -> Step:
        """Decide, and change `obj` (the caller's own copy of what is stored) into what is to be written.

        The options must have been validated, and preconditions checked.
        """
        meta = metadata_of(obj)
        before = type(obj)()
        before.CopyFrom(obj)
        if self._grace_is_running(meta, options):
            return Step.KEEP
        is_graceful = self._start_grace(obj, meta, options, now_seconds)
        if self.collects_garbage:
            _set_finalizers(meta, _wanted_finalizer(meta, options, self.strategy))
        if not self.strategy.is_held(obj) and not is_graceful:
            return Step.REMOVE
        if not is_graceful:
            _mark(meta, now_seconds)
        self.strategy.mark_terminating(obj)
        return Step.KEEP if obj == before else Step.MARK

    def _grace_is_running(self, meta: ObjectMeta, options: DeleteOptions) -> bool:
        if not meta.HasField("deletionTimestamp") or meta.deletionGracePeriodSeconds <= 0:
            return False
        asked = options.grace_period_seconds
        return asked is None or _not_negative(asked) >= meta.deletionGracePeriodSeconds

    def _start_grace(self, obj: Message, meta: ObjectMeta, options: DeleteOptions, now_seconds: int) -> bool:
        """Set the deadline if the object gets time to end, or an earlier one if it already has; whether it has time."""
        if meta.HasField("deletionTimestamp"):
            return _shorten_grace(meta, options)
        grace_seconds = _not_negative(self.strategy.graceful_deletion(obj, options))
        if not grace_seconds:
            return False
        _begin(meta, now_seconds + grace_seconds)
        meta.deletionGracePeriodSeconds = grace_seconds
        return True


def _shorten_grace(meta: ObjectMeta, options: DeleteOptions) -> bool:
    running = meta.deletionGracePeriodSeconds
    if running <= 0 or options.grace_period_seconds is None:
        return False
    shorter = _not_negative(options.grace_period_seconds)
    set_seconds(meta, "deletionTimestamp", meta.deletionTimestamp.seconds - running + shorter)
    meta.deletionGracePeriodSeconds = shorter
    return shorter > 0


def _not_negative(grace_seconds: int) -> int:
    # Negative periods were once accepted and stored; they count as the shortest real one.
    return 1 if grace_seconds < 0 else grace_seconds


def _begin(meta: ObjectMeta, deadline_seconds: int) -> None:
    if meta.generation > 0 and not meta.HasField("deletionTimestamp"):
        meta.generation += 1
    set_seconds(meta, "deletionTimestamp", deadline_seconds)


def _mark(meta: ObjectMeta, now_seconds: int) -> None:
    """Without (more) time, only finalizers hold the object: its deadline is now, or has passed.

    A namespace that is held by its spec alone has never had a grace period, and gets none.
    """
    if not meta.HasField("deletionTimestamp") or meta.deletionTimestamp.seconds > now_seconds:
        _begin(meta, now_seconds)
    if meta.finalizers:
        meta.deletionGracePeriodSeconds = 0


def _wanted_finalizer(meta: ObjectMeta, options: DeleteOptions, strategy: Strategy) -> str:
    """The finalizer that makes the garbage collector do as asked; empty for background deletion.

    In order of rank: the options, a finalizer the object already has, the kind's default.
    """
    if options.orphan_dependents is not None:
        return ORPHAN if options.orphan_dependents else ""
    if options.propagation_policy is not None:
        return _OF_POLICY[options.propagation_policy]
    for finalizer in meta.finalizers:
        if finalizer in (ORPHAN, FOREGROUND):
            return finalizer
    return ORPHAN if strategy.orphans_dependents_by_default else ""


def _set_finalizers(meta: ObjectMeta, wanted: str) -> None:
    if not wanted and not meta.finalizers:
        return
    finalizers = [name for name in meta.finalizers if name not in (ORPHAN, FOREGROUND)]
    if wanted:
        finalizers.append(wanted)
    if set(finalizers) != set(meta.finalizers):
        _replace(meta, finalizers)


def _replace(meta: ObjectMeta, finalizers: Iterable[str]) -> None:
    del meta.finalizers[:]
    meta.finalizers.extend(finalizers)


def failed_precondition(
    kind: GroupResource, name: str, meta: ObjectMeta, resource_version: str, options: DeleteOptions
) -> StatusError | None:
    """The conflict, if the object is not the one the caller means; None if it is."""
    uid, version = options.preconditions.uid, options.preconditions.resource_version
    if uid is not None and uid != meta.uid:
        return errors.conflict(
            kind,
            name,
            f"the UID in the precondition ({uid}) does not match the UID in record ({meta.uid}). "
            "The object might have been deleted and then recreated",
        )
    if version is not None and version != resource_version:
        return errors.conflict(
            kind,
            name,
            f"the ResourceVersion in the precondition ({version}) does not match the ResourceVersion in record "
            f"({resource_version}). The object might have been modified",
        )
    return None


def ends_on_update(new: Message, old: Message, strategy: Strategy) -> bool:
    """Whether an update ends an object: it is being deleted, its time is over, and nothing holds it any more."""
    meta = metadata_of(old)
    if not meta.HasField("deletionTimestamp") or meta.deletionGracePeriodSeconds > 0:
        return False
    return not strategy.is_held(new)
