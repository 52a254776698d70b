"""Certificate signing requests: who asks is written by the server, and approving is a right of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from kubewire.apiserver.strategy.base import KindStrategy
from kubewire.apiserver.strategy.metadata import (
    clear_field,
    drop_if_empty,
    keep_field,
    prepare_changed_metadata,
    snapshot,
)
from kubewire.apiserver.validation.certificates import validate_signing_request_update
from kubewire.apiserver.validation.metadata import validate_metadata_update
from kubewire.machinery.field_errors import FieldError

if TYPE_CHECKING:
    from kubewire.api.certificates.v1.certificate_signing_request_pb2 import (
        CertificateSigningRequest,
        CertificateSigningRequestCondition,
    )
    from kubewire.apiserver.strategy.contracts import UpdateStrategy, WriteContext

_VERDICTS = frozenset({"Approved", "Denied"})


@dataclass(frozen=True, kw_only=True)
class CertificateSigningRequestStrategy(KindStrategy["CertificateSigningRequest"]):
    """The spec is fixed once it is there."""

    has_status: bool = True
    others: Mapping[str, UpdateStrategy] = field(
        default_factory=lambda: {"approval": cast("UpdateStrategy", ApprovalStrategy())}
    )

    def initialize(self, obj: CertificateSigningRequest, ctx: WriteContext) -> None:
        """Note who asks."""
        identity = ctx.identity
        for name in ("username", "uid", "groups", "extra"):
            clear_field(obj.spec, name)
        obj.spec.username = identity.name
        if identity.uid:
            obj.spec.uid = identity.uid
        obj.spec.groups.extend(identity.groups)
        for key, values in identity.extra:
            obj.spec.extra[key].items.extend(values)

    def reconcile(self, new: CertificateSigningRequest, old: CertificateSigningRequest, _ctx: WriteContext) -> None:
        """Nothing but metadata changes."""
        keep_field(new, old, "spec")

    def reconcile_status(
        self, new: CertificateSigningRequest, old: CertificateSigningRequest, ctx: WriteContext
    ) -> None:
        """Verdicts are the approval's to give."""
        verdicts = [item for item in old.status.conditions if item.type in _VERDICTS]
        others = [item for item in new.status.conditions if item.type not in _VERDICTS]
        kept = [snapshot(item) for item in (*verdicts, *others)]
        new.status.ClearField("conditions")
        new.status.conditions.extend(kept)
        drop_if_empty(new, "status")
        _stamp(new.status.conditions, old.status.conditions, ctx.now_seconds)


@dataclass(frozen=True)
class ApprovalStrategy:
    """`certificatesigningrequests/approval` changes conditions alone."""

    def prepare_update(self, new: CertificateSigningRequest, old: CertificateSigningRequest, ctx: WriteContext) -> None:
        """Neither the spec nor the certificate changes."""
        prepare_changed_metadata(new.metadata, old.metadata)
        keep_field(new, old, "spec")
        new.status.ClearField("certificate")
        if old.status.certificate:
            new.status.certificate = old.status.certificate
        drop_if_empty(new, "status")
        _stamp(new.status.conditions, old.status.conditions, ctx.now_seconds)

    def validate_update(self, new: CertificateSigningRequest, old: CertificateSigningRequest) -> list[FieldError]:
        """Metadata changes within its rules, and there is one verdict."""
        problems = validate_metadata_update(new.metadata, old.metadata)
        return problems + validate_signing_request_update(new, old)


def _stamp(
    new: Iterable[CertificateSigningRequestCondition],
    old: Iterable[CertificateSigningRequestCondition],
    now_seconds: int,
) -> None:
    """Give conditions the times their authors left out."""
    known = {item.type: item for item in old}
    for item in new:
        before = known.get(item.type)
        is_same = before is not None and before.status == item.status
        if not item.HasField("lastTransitionTime"):
            seconds = before.lastTransitionTime.seconds if before is not None and is_same else now_seconds
            item.lastTransitionTime.seconds = seconds or now_seconds
        if not item.HasField("lastUpdateTime"):
            item.lastUpdateTime.seconds = now_seconds
