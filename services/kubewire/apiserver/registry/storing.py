"""Writing to the store: new objects under names of their own, changed ones over the version they were made from.

An update begins with what the cache has, which may be behind. It is never wrong to write over it, since the store
refuses that if the object has moved on; but what is refused or found unchanged on its account is judged again by
what the store has.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Final, TypeVar

from kubewire.apiserver.contracts import Written
from kubewire.apiserver.registry.accounts import give_account
from kubewire.apiserver.registry.companions import accompanied
from kubewire.apiserver.registry.deletion import ends_on_update
from kubewire.apiserver.registry.priority import assign_priority
from kubewire.apiserver.registry.steps import open_namespace
from kubewire.apiserver.registry.storage_failures import status_of
from kubewire.apiserver.registry.stored import item_of, read_stored
from kubewire.apiserver.storage.errors import Mismatch, StorageError
from kubewire.apiserver.strategy.metadata import metadata_of
from kubewire.machinery import errors
from kubewire.machinery.errors import StatusError
from kubewire.machinery.names import generated_name

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from google.protobuf.message import Message

    from kubewire.apiserver.item import Item
    from kubewire.apiserver.registry.write import Write

_T = TypeVar("_T")

NAME_ATTEMPTS: Final = 8
"""How many names are generated for one object before its author has to ask again."""

UPDATE_ATTEMPTS: Final = 100
"""Others may win the race for an object, but not for ever; each time they do, one of their writes has succeeded."""


LOOKUPS: Final = (open_namespace, give_account, assign_priority)
"""What is asked of other objects before a new one is written; it may wait."""


class Outcome(Enum):
    """What an update comes to."""

    CREATE = auto()
    REPLACE = auto()
    SAME = auto()
    """Nothing would change."""
    END = auto()
    """It takes off the last finalizer of an object that is being deleted."""


async def store_new(write: Write) -> None:
    """Write a new object; one whose generated name is taken gets another name."""
    for _ in range(NAME_ATTEMPTS):
        try:
            await _create(write)
        except Mismatch as taken:
            if not write.is_name_generated:
                raise _taken(write, taken) from None
            write.meta.name = generated_name(write.meta.generateName, write.core.random)
        else:
            return
    raise errors.generate_name_conflict(write.kind.resource.group_resource, write.meta.name)


async def _create(write: Write) -> None:
    """Raises Mismatch when there is an object of this name."""
    if write.kind.resource in write.core.companions:
        await _probe_new(write)  # before anything is taken for it: an address that it has itself is no obstacle
    async with accompanied(write):
        kind, meta = write.kind, write.meta
        raw = _raw(write)
        revision = await (_probe_new(write) if write.options.dry_run else _put_new(write, raw))
        write.result = Written(kind.item(meta.namespace, meta.name, revision, raw), created=True)


async def _put_new(write: Write, raw: bytes) -> int:
    kind, meta = write.kind, write.meta
    value = kind.stored_value(raw)
    created = write.core.store.create(kind.key(meta.namespace, meta.name), value, ttl_seconds=kind.ttl_seconds)
    return await _sent(write, "create", created, len(value))


async def _probe_new(write: Write) -> int:
    """Whether the object could be written; it gets no version."""
    key = write.kind.key(write.meta.namespace, write.meta.name)
    entry = await _sent(write, "create", write.core.store.get(key))
    if entry is not None:
        raise Mismatch(key, entry, entry.revision)
    return 0


def _taken(write: Write, taken: Mismatch) -> StatusError:
    kind, meta = write.kind, write.meta
    error = errors.already_exists(kind.resource.group_resource, meta.name)
    there = item_of(kind, meta.namespace, meta.name, taken.current)
    if there is not None and there.metadata.HasField("deletionTimestamp"):
        return StatusError(error.code, error.reason, f"object is being deleted: {error.message}", error.details)
    return error


async def store_changed(write: Write, decide: Callable[[Write], Outcome]) -> None:
    """Change an object by what `decide` makes of it, again and again until nobody has written it in between."""
    core, kind, call = write.core, write.kind, write.call
    found = core.cache.of(kind.kept).peek(call.namespace, call.name)
    is_fresh = False
    if found is not None:
        found = kind.served(found)
    for _ in range(UPDATE_ATTEMPTS):
        outcome = _judge(write, found, decide, is_fresh=is_fresh)
        if outcome is None:
            found = await read_stored(core, kind, call.namespace, call.name)
            is_fresh = True
            continue
        try:
            await _carry_out(write, outcome)
        except Mismatch as newer:
            found = item_of(kind, call.namespace, call.name, newer.current)
            is_fresh = True
        else:
            return
    raise errors.conflict(kind.resource.group_resource, call.name)


def _judge(write: Write, found: Item | None, decide: Callable[[Write], Outcome], *, is_fresh: bool) -> Outcome | None:
    """What the update comes to; None if what is stored now has to be read to be sure."""
    if found is None and not is_fresh:
        return None
    write.found = found
    write.old = None if found is None else write.kind.decode(found)
    try:
        outcome = decide(write)
    except StatusError:
        if is_fresh:
            raise
        return None
    return None if outcome is Outcome.SAME and not is_fresh else outcome


def outcome_of(write: Write) -> Outcome:
    """What an update whose steps are done comes to."""
    assert write.old is not None, "there was an object"
    if write.obj == write.old or _moves_times_only(write.obj, write.old):
        return Outcome.SAME
    return Outcome.END if ends_on_update(write.obj, write.old, write.kind.strategy) else Outcome.REPLACE


def _moves_times_only(new: Message, old: Message) -> bool:
    """Whether nothing differs but when managers last wrote what they own: so it is when the server undid a change."""
    entries, before = metadata_of(new).managedFields, metadata_of(old).managedFields
    if new.ByteSize() != old.ByteSize() or len(entries) != len(before):
        return False
    aligned = type(new)()
    aligned.CopyFrom(new)
    for mine, theirs in zip(metadata_of(aligned).managedFields, before, strict=True):
        mine.time.CopyFrom(theirs.time)
    return aligned == old


async def _carry_out(write: Write, outcome: Outcome) -> None:
    """Raises Mismatch when the object has been written in between."""
    if outcome is Outcome.CREATE:
        for step in LOOKUPS:
            waiting = step(write)
            if waiting is not None:
                await waiting
        await _create(write)
        return
    found = write.found
    assert found is not None, "there was an object"
    if outcome is Outcome.SAME:
        write.result = Written(found)
        return
    async with accompanied(write, ends=outcome is Outcome.END):
        raw = _raw(write)
        revision = found.revision
        if not write.options.dry_run:
            revision = await (_replace(write, raw, revision) if outcome is Outcome.REPLACE else _end(write, revision))
        write.result = Written(write.kind.item(found.namespace, found.name, revision, raw))


async def _replace(write: Write, raw: bytes, expected: int) -> int:
    kind, call = write.kind, write.call
    value = kind.stored_value(raw)
    key = kind.key(call.namespace, call.name)
    written = write.core.store.replace(key, value, expected, ttl_seconds=kind.ttl_seconds)
    return await _sent(write, "update", written, len(value))


async def _end(write: Write, expected: int) -> int:
    key = write.kind.key(write.call.namespace, write.call.name)
    return await _sent(write, "delete", write.core.store.delete(key, expected))


def _raw(write: Write) -> bytes:
    """The object's bytes; equal objects have equal ones."""
    write.validated_seconds = write.core.clock()
    return write.obj.SerializeToString(deterministic=True)


async def _sent(write: Write, operation: str, sent: Coroutine[Any, Any, _T], size_bytes: int = 0) -> _T:
    """What the store answers; its failures as the API's, but for a Mismatch, which the caller knows how to meet."""
    try:
        return await sent
    except Mismatch:
        raise
    except StorageError as error:
        resource = write.kind.resource.group_resource
        raise status_of(error, resource, write.meta.name, operation, size_bytes=size_bytes) from None
