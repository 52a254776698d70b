"""Kinds of the core group whose writes have something particular about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from kubewire.apiserver.strategy.base import KindStrategy
from kubewire.apiserver.strategy.metadata import keep_field, prepare_changed_metadata
from kubewire.apiserver.validation.metadata import validate_metadata_update
from kubewire.apiserver.validation.namespaces import validate_finalize
from kubewire.machinery.field_errors import FieldError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from google.protobuf.message import Message

    from kubewire.api.core.v1.claim_spec_pb2 import PersistentVolumeClaimSpec
    from kubewire.api.core.v1.namespace_pb2 import Namespace
    from kubewire.api.core.v1.persistent_volume_claim_pb2 import PersistentVolumeClaim
    from kubewire.api.core.v1.persistent_volume_pb2 import PersistentVolume
    from kubewire.api.core.v1.secret_pb2 import Secret
    from kubewire.api.core.v1.service_account_pb2 import ServiceAccount
    from kubewire.apiserver.strategy.contracts import UpdateStrategy, WriteContext

_NAMESPACE_FINALIZER = "kubernetes"


@dataclass(frozen=True, kw_only=True)
class NamespaceStrategy(KindStrategy["Namespace"]):
    """A namespace is held by finalizers in its spec until its contents are gone."""

    has_status: bool = True
    others: Mapping[str, UpdateStrategy] = field(
        default_factory=lambda: {"finalize": cast("UpdateStrategy", FinalizeStrategy())}
    )

    def initialize(self, obj: Namespace, _ctx: WriteContext) -> None:
        """Active, and held by the namespace controller."""
        obj.status.phase = "Active"
        if _NAMESPACE_FINALIZER not in obj.spec.finalizers:
            obj.spec.finalizers.append(_NAMESPACE_FINALIZER)

    def reconcile(self, new: Namespace, old: Namespace, _ctx: WriteContext) -> None:
        """Finalizers of the spec change through `namespaces/finalize` alone."""
        if new.spec != old.spec:
            keep_field(new, old, "spec")

    def is_held(self, obj: Namespace) -> bool:
        """By finalizers of either sort."""
        return bool(obj.spec.finalizers or obj.metadata.finalizers)

    def mark_terminating(self, obj: Namespace) -> None:
        """Show that no new contents are accepted."""
        obj.status.phase = "Terminating"


@dataclass(frozen=True)
class FinalizeStrategy:
    """`namespaces/finalize` changes the finalizers of the spec."""

    def prepare_update(self, new: Namespace, old: Namespace, _ctx: WriteContext) -> None:
        """The status stays as it is."""
        prepare_changed_metadata(new.metadata, old.metadata)
        keep_field(new, old, "status")

    def validate_update(self, new: Namespace, old: Namespace) -> list[FieldError]:
        """Finalizers are qualified names."""
        return validate_metadata_update(new.metadata, old.metadata) + validate_finalize(new, old)


@dataclass(frozen=True, kw_only=True)
class PersistentVolumeStrategy(KindStrategy["PersistentVolume"]):
    """A volume notes when its phase changed (KEP-3762)."""

    has_status: bool = True

    def initialize(self, obj: PersistentVolume, ctx: WriteContext) -> None:
        """Pending since now."""
        obj.status.phase = "Pending"
        obj.status.lastPhaseTransitionTime.seconds = ctx.now_seconds

    def reconcile_status(self, new: PersistentVolume, old: PersistentVolume, ctx: WriteContext) -> None:
        """A new phase begins now, unless its author knows better."""
        is_told = new.status.HasField("lastPhaseTransitionTime") and (
            new.status.lastPhaseTransitionTime != old.status.lastPhaseTransitionTime
        )
        if new.status.phase != old.status.phase and not is_told:
            new.status.lastPhaseTransitionTime.Clear()
            new.status.lastPhaseTransitionTime.seconds = ctx.now_seconds


@dataclass(frozen=True, kw_only=True)
class PersistentVolumeClaimStrategy(KindStrategy["PersistentVolumeClaim"]):
    """A claim names the source of its data in an old and a new field, which have to agree."""

    has_status: bool = True

    def initialize(self, obj: PersistentVolumeClaim, _ctx: WriteContext) -> None:
        """Pending."""
        obj.status.phase = "Pending"
        match_data_sources(obj.spec)

    def reconcile(self, new: PersistentVolumeClaim, _old: PersistentVolumeClaim, _ctx: WriteContext) -> None:
        """Both fields again."""
        match_data_sources(new.spec)


def match_data_sources(spec: PersistentVolumeClaimSpec) -> None:
    """Give whichever of `dataSource` and `dataSourceRef` is missing the value of the other.

    A source in another namespace has no old form and stays alone.
    """
    if spec.dataSourceRef.namespace:
        return
    if spec.HasField("dataSource") and not spec.HasField("dataSourceRef"):
        _copy_reference(spec.dataSource, spec.dataSourceRef)
    elif spec.HasField("dataSourceRef") and not spec.HasField("dataSource"):
        _copy_reference(spec.dataSourceRef, spec.dataSource)


def _copy_reference(source: Message, target: Message) -> None:
    target.SetInParent()
    for member, value in source.ListFields():
        if member.name != "namespace":
            setattr(target, member.name, value)


@dataclass(frozen=True, kw_only=True)
class SecretStrategy(KindStrategy["Secret"]):
    """An update may leave out the type."""

    def reconcile(self, new: Secret, old: Secret, _ctx: WriteContext) -> None:
        """The type stays when it is not named."""
        if not new.type:
            new.type = old.type


@dataclass(frozen=True, kw_only=True)
class ServiceAccountStrategy(KindStrategy["ServiceAccount"]):
    """Secrets of a service account are in its namespace, so their names say everything."""

    def initialize(self, obj: ServiceAccount, _ctx: WriteContext) -> None:
        """Keep the names."""
        _keep_names(obj)

    def reconcile(self, new: ServiceAccount, _old: ServiceAccount, _ctx: WriteContext) -> None:
        """Keep the names."""
        _keep_names(new)


def _keep_names(account: ServiceAccount) -> None:
    for secret in account.secrets:
        name = secret.name
        secret.Clear()
        if name:
            secret.name = name
