"""The last step of a write: remember in the ring who wrote what, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubewire.apiserver.record.ring import WriteRecord

if TYPE_CHECKING:
    from kubewire.apiserver.contracts import Call
    from kubewire.apiserver.item import Item
    from kubewire.apiserver.registry.core import Core
    from kubewire.apiserver.registry.write import Write


class Commit(NamedTuple):
    """A write that the store has confirmed."""

    resource: str
    item: Item
    uid: str
    verb: str
    manager: str
    validated_seconds: float


def record(write: Write) -> None:
    """Remember a create or an update, unless it changed nothing; pass its warnings on to the caller."""
    if write.warnings:
        write.call.warnings.extend(write.warnings)
    item = write.result.item
    if not write.options.dry_run and item is not write.found:
        uid = write.meta.uid
        commit = Commit(write.kind.name, item, uid, write.verb, write.manager, write.validated_seconds)
        remember(write.core, write.call, commit)


def remember(core: Core, call: Call, commit: Commit) -> None:
    """Add a write to the ring."""
    item = commit.item
    core.ring.add(
        WriteRecord(
            commit.resource,
            item.namespace,
            item.name,
            commit.uid,
            commit.verb,
            call.subresource,
            item.revision,
            call.identity.name,
            commit.manager,
            call.cause,
            call.received_seconds,
            commit.validated_seconds,
            core.clock(),
        )
    )
