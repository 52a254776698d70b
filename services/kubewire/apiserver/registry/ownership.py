"""Who owns which field (managedFields), kept on every write that a client makes to an object."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubewire.machinery.managed_fields.field_set import FieldSet
from kubewire.machinery.managed_fields.merge_types import of_definition
from kubewire.machinery.managed_fields.of_messages import Ownership
from kubewire.machinery.managed_fields.update import Kind as OwnedKind
from kubewire.machinery.managed_fields.update import Write as OwnedWrite
from kubewire.machinery.schema.definitions import name_of_message

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from kubewire.apiserver.registry.write import Write
    from kubewire.apiserver.strategy.contracts import Strategy
    from kubewire.machinery.resources import Resource


def ownership_of(resource: Resource, message: type[Message], strategy: Strategy, subresource: str) -> Ownership:
    """Keeps the owners for writes through one endpoint of a kind. Make it once: it remembers what it has worked out."""
    return Ownership(owned_kind(resource, strategy, subresource), message)


def owned_kind(resource: Resource, strategy: Strategy, subresource: str) -> OwnedKind:
    """The rules for writes through one endpoint of a kind."""
    reset = FieldSet.of_paths(strategy.reset_fields(subresource))
    return OwnedKind(of_definition(name_of_message(resource.message)), resource.api_version, subresource, reset)


def track_new(write: Write) -> None:
    """The creator of an object owns what it has set. An apply has settled ownership when it was merged."""
    if write.verb == "apply":
        return
    write.kind.ownership("").record_create(write.obj, OwnedWrite(write.manager, write.ctx.now_seconds))


def track_changed(write: Write) -> None:
    """The author of a change owns what it has changed. An apply has settled ownership when it was merged."""
    if write.verb == "apply":
        return
    assert write.old is not None, "an update of nothing is a create"
    ownership = write.kind.ownership(write.call.subresource)
    ownership.record_update(write.old, write.obj, OwnedWrite(write.manager, write.ctx.now_seconds))
