"""The order in which writes pass through the server, in one place.

    limit        not too many at once                                           objects.py
    authorize    the caller may do this
    decode       bytes become an object or a patch; unknown fields are found
    mutate       names, defaults, field ownership, admission, the kind's own fields
    validate     the object, or the change, is allowed
    store        written over the version it was made from
    record       who wrote what, and why

The face has authenticated the caller before. Field ownership (managedFields) is settled before admission: what
plug-ins and the server itself set belongs to no manager. Reads are limited and authorized, then served by the cache.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from kubewire.apiserver.registry import steps
from kubewire.apiserver.registry.accounts import give_account
from kubewire.apiserver.registry.decoding import decode_new
from kubewire.apiserver.registry.escalation import confirm_no_escalation
from kubewire.apiserver.registry.ownership import track_changed, track_new
from kubewire.apiserver.registry.priority import assign_priority
from kubewire.apiserver.registry.recording import record
from kubewire.apiserver.registry.storing import Outcome, outcome_of, store_changed, store_new
from kubewire.apiserver.registry.write import Write
from kubewire.machinery import errors

Step = Callable[[Write], Awaitable[None] | None]
"""Changes the Write, or refuses it by raising StatusError; gives back what to wait for, if it has to."""

_NAME: Final[tuple[Step, ...]] = (steps.complete, steps.default, track_new)
_FINISH: Final[tuple[Step, ...]] = (steps.prepare_new, steps.validate_new)

CREATE: Final[tuple[Step, ...]] = (
    decode_new,
    *_NAME,
    steps.open_namespace,
    steps.mutate_new,
    give_account,
    assign_priority,
    confirm_no_escalation,
    *_FINISH,
    store_new,
    record,
)

CHANGE: Final[tuple[Step, ...]] = (
    steps.change,
    steps.check_version,
    steps.default,
    track_changed,
    steps.mutate_changed,
    confirm_no_escalation,
    steps.prepare_changed,
    steps.validate_changed,
)
"""What an update does to an object, once for each attempt; none of it waits."""

CHANGE_NOTHING: Final[tuple[Step, ...]] = (
    steps.change,
    steps.check_version,
    *_NAME,
    steps.mutate_new,
    confirm_no_escalation,
    *_FINISH,
)
"""What an update does where there is no object, if the kind lets it create one; what waits is done before the store."""


async def create(write: Write) -> None:
    """Pass a new object through; the result is in the Write."""
    for step in CREATE:
        waiting = step(write)
        if waiting is not None:
            await waiting


async def update(write: Write) -> None:
    """Pass a change through (`write.change` and `write.updating` are set); the result is in the Write."""
    await store_changed(write, _decide)
    record(write)


def _decide(write: Write) -> Outcome:
    if write.old is None:
        return _decide_new(write)
    for step in CHANGE:
        step(write)
    return outcome_of(write)


def _decide_new(write: Write) -> Outcome:
    may_create = write.verb == "apply" or write.kind.strategy.allow_create_on_update
    if write.call.subresource or not may_create:
        raise errors.not_found(write.kind.resource.group_resource, write.call.name)
    write.core.authorize(write.call, "create")
    for step in CHANGE_NOTHING:
        step(write)
    return Outcome.CREATE
