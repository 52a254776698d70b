"""The strategy most kinds share: status apart from the wanted state, and a generation that counts its changes.

A kind says in its declaration which top-level fields hold the wanted state, whether it has a status, and how
lenient its updates are; kinds with more to say derive a class and override `initialize` and `reconcile`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar, cast

from google.protobuf.message import Message

from kubewire.apiserver.options import DeleteOptions
from kubewire.apiserver.strategy.contracts import UpdateStrategy, WriteContext
from kubewire.apiserver.strategy.equality import is_field_equal
from kubewire.apiserver.strategy.metadata import (
    clear_field,
    freeze_metadata,
    keep_field,
    metadata_of,
    prepare_changed_metadata,
    prepare_new_metadata,
)
from kubewire.apiserver.validation.metadata import validate_metadata, validate_metadata_update
from kubewire.apiserver.validation.rules import Rules
from kubewire.machinery.field_errors import FieldError

M = TypeVar("M", bound=Message)


@dataclass(frozen=True, kw_only=True)
class KindStrategy(Generic[M]):
    """A kind's answers to the registry. Declared once per kind in the table; holds no state."""

    rules: Rules[M]
    counted: tuple[str, ...] = ()
    """Top-level fields whose change bumps the generation; none: the kind has no generation."""
    wanted: tuple[str, ...] = ("spec",)
    """Top-level fields a status update may not change."""
    has_status: bool = False
    keeps_status_on_create: bool = False
    """Nodes are created by kubelets that already know their status."""
    freezes_metadata: bool = False
    """Whether a status update may change nothing of the metadata."""
    allow_create_on_update: bool = False
    allow_unconditional_update: bool = True
    orphans_dependents_by_default: bool = False
    others: Mapping[str, UpdateStrategy] = field(default_factory=dict)
    """Subresources besides the status."""

    @property
    def has_generation(self) -> bool:
        """Whether objects carry `metadata.generation`."""
        return bool(self.counted)

    @property
    def subresources(self) -> Mapping[str, UpdateStrategy]:
        """The status, if there is one, and the others."""
        if not self.has_status:
            return self.others
        status = cast("UpdateStrategy", StatusStrategy(self))
        return {"status": status, **self.others}

    def initialize(self, obj: M, ctx: WriteContext, /) -> None:
        """Fill what the server owns in a new object; status and generation are done."""

    def reconcile(self, new: M, old: M, ctx: WriteContext, /) -> None:
        """Put back what else an update may not change; status is done, the generation follows."""

    def reconcile_status(self, new: M, old: M, ctx: WriteContext, /) -> None:
        """Put back what else a status update may not change; the wanted state is done."""

    def prepare_create(self, obj: M, ctx: WriteContext) -> None:
        """See Strategy."""
        meta = metadata_of(obj)
        prepare_new_metadata(meta)
        if self.has_status and not self.keeps_status_on_create:
            clear_field(obj, "status")
        if self.counted:
            meta.generation = 1
        self.initialize(obj, ctx)

    def prepare_update(self, new: M, old: M, ctx: WriteContext) -> None:
        """See UpdateStrategy."""
        prepare_changed_metadata(metadata_of(new), metadata_of(old))
        if self.has_status:
            keep_field(new, old, "status")
        self.reconcile(new, old, ctx)
        if self.counted and self.is_wanted_changed(new, old):
            metadata_of(new).generation = metadata_of(old).generation + 1

    def is_wanted_changed(self, new: M, old: M) -> bool:
        """Whether the generation has to count this update."""
        return not all(is_field_equal(new, old, name) for name in self.counted)

    def prepare_status_update(self, new: M, old: M, ctx: WriteContext) -> None:
        """See Strategy."""
        prepare_changed_metadata(metadata_of(new), metadata_of(old))
        for name in self.wanted:
            keep_field(new, old, name)
        if self.freezes_metadata:
            freeze_metadata(metadata_of(new), metadata_of(old))
        self.reconcile_status(new, old, ctx)

    def validate_create(self, obj: M) -> list[FieldError]:
        """See Strategy."""
        rules = self.rules
        meta = metadata_of(obj)
        problems = validate_metadata(meta, rules.name, namespaced=rules.namespaced, builtin=rules.builtin)
        problems += rules.create(obj)
        return problems

    def validate_update(self, new: M, old: M) -> list[FieldError]:
        """See UpdateStrategy."""
        problems = validate_metadata_update(metadata_of(new), metadata_of(old))
        problems += self.rules.update(new, old)
        return problems

    def validate_status_update(self, new: M, old: M) -> list[FieldError]:
        """See Strategy."""
        problems = validate_metadata_update(metadata_of(new), metadata_of(old))
        problems += self.rules.status_update(new, old)
        return problems

    def warnings(self, obj: M) -> list[str]:
        """See Strategy."""
        return self.rules.warnings(obj)

    def graceful_deletion(self, _obj: M, _options: DeleteOptions) -> int:
        """See Strategy."""
        return 0

    def is_held(self, obj: M) -> bool:
        """See Strategy."""
        return bool(metadata_of(obj).finalizers)

    def mark_terminating(self, obj: M) -> None:
        """See Strategy."""

    def reset_fields(self, subresource: str) -> tuple[tuple[str, ...], ...]:
        """See Strategy."""
        if subresource == "":
            return (("status",),) if self.has_status else ()
        if subresource == "status":
            return tuple((name,) for name in self.wanted)
        return ()


@dataclass(frozen=True)
class StatusStrategy(Generic[M]):
    """The status of a kind as one of its subresources."""

    kind: KindStrategy[M]

    def prepare_update(self, new: M, old: M, ctx: WriteContext) -> None:
        """See UpdateStrategy."""
        self.kind.prepare_status_update(new, old, ctx)

    def validate_update(self, new: M, old: M) -> list[FieldError]:
        """See UpdateStrategy."""
        return self.kind.validate_status_update(new, old)
