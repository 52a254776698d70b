"""The seam between the registry and the kinds: what every kind answers when one of its objects is written.

The registry runs the same steps for all kinds (default, admit, prepare, validate, store) and asks the kind's
Strategy wherever kinds differ, as upstream's `rest.RESTCreateStrategy` and its siblings do. Strategies are
pure: they look at messages and at the WriteContext, never at a clock or a store.

What the registry has done before `prepare_create`: namespace, uid, creationTimestamp and name (generateName)
are set, defaults and mutating admission have run. Before `prepare_update`: defaults and mutating admission
have run on `new`, and `old` is the stored object, which is never changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from google.protobuf.message import Message

from kubewire.apiserver.contracts import Identity
from kubewire.apiserver.options import DeleteOptions
from kubewire.machinery.field_errors import FieldError


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteContext:
    """What a strategy may know about the request: when it came, and who sent it."""

    now_seconds: int
    """Unix time of the request, which stamps what a write stamps (conditions, phase transitions)."""
    identity: Identity


class UpdateStrategy(Protocol):
    """How one way of updating an object (the object itself, or a subresource) treats its fields."""

    def prepare_update(self, new: Message, old: Message, ctx: WriteContext) -> None:
        """Put back in `new` what this way of updating may not change; bump the generation if it is due."""

    def validate_update(self, new: Message, old: Message) -> list[FieldError]:
        """What is wrong with replacing `old` by `new`; empty if nothing is. Metadata included."""


class Strategy(UpdateStrategy, Protocol):
    """What the registry asks about a kind; `update` methods speak of the object itself, not of its status."""

    @property
    def has_generation(self) -> bool:
        """Whether objects carry `metadata.generation`: 1 at first, one more when the wanted state changes."""

    @property
    def allow_create_on_update(self) -> bool:
        """Whether an update of an object that is not there creates it (PUT as upsert)."""

    @property
    def allow_unconditional_update(self) -> bool:
        """Whether an update without resourceVersion overwrites whatever is stored."""

    @property
    def orphans_dependents_by_default(self) -> bool:
        """Whether a delete without propagation policy leaves what the object owns alive."""

    @property
    def subresources(self) -> Mapping[str, UpdateStrategy]:
        """Subresources that update the object: `status`, and what a kind has besides (`approval` ...)."""

    def prepare_create(self, obj: Message, ctx: WriteContext) -> None:
        """Clear what a create may not set, fill what the server owns (status, generation, labels)."""

    def prepare_status_update(self, new: Message, old: Message, ctx: WriteContext) -> None:
        """Put back in `new` everything but the status and the metadata a status update may change.

        Kinds without a status subresource are never asked.
        """

    def validate_create(self, obj: Message) -> list[FieldError]:
        """What is wrong with a new object; empty if nothing is. Metadata included."""

    def validate_status_update(self, new: Message, old: Message) -> list[FieldError]:
        """What is wrong with replacing `old`'s status by `new`'s."""

    def warnings(self, obj: Message) -> list[str]:
        """What to tell the author of an accepted object (HTTP `Warning` headers)."""

    def graceful_deletion(self, obj: Message, options: DeleteOptions) -> int:
        """Seconds between asking for the deletion and removing the object; 0 removes it at once.

        Only pods answer anything but 0.
        """

    def is_held(self, obj: Message) -> bool:
        """Whether finalizers keep a deleted object alive (for namespaces, those in the spec too)."""

    def mark_terminating(self, obj: Message) -> None:
        """Change what else changes when `deletionTimestamp` is set (a namespace's phase)."""

    def reset_fields(self, subresource: str) -> tuple[tuple[str, ...], ...]:
        """Field paths that a write to the object (`""`) or a subresource never owns in managedFields."""
