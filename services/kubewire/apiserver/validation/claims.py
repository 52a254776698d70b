"""Claims of storage, also inside pods and stateful sets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kubewire.apiserver.validation.checks import (
    Problems,
    check_given,
    check_name,
    check_selector,
)
from kubewire.apiserver.validation.resources import check_amount, check_request_within_limit, is_zero_amount
from kubewire.machinery import names
from kubewire.machinery.field_errors import FieldError, forbidden, invalid, not_supported, required
from kubewire.machinery.field_path import ROOT, Path
from kubewire.machinery.quantity import Quantity, QuantityError, parse

if TYPE_CHECKING:
    from kubewire.api.core.v1.claim_spec_pb2 import PersistentVolumeClaimSpec
    from kubewire.api.core.v1.persistent_volume_claim_pb2 import PersistentVolumeClaim

ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
VOLUME_MODES = ("Block", "Filesystem")
_SPEC = ROOT.child("spec")
_ALONE = "may not use ReadWriteOncePod with other access modes"


def validate_claim(claim: PersistentVolumeClaim) -> list[FieldError]:
    """A new claim."""
    problems: Problems = []
    check_claim_spec(claim.spec, _SPEC, problems)
    return problems


def check_access_modes(modes: Sequence[str], path: Path, problems: Problems) -> None:
    """At least one; the exclusive one alone."""
    if not modes:
        problems.append(required(path, "at least 1 access mode is required"))
    problems.extend(not_supported(path, mode, ACCESS_MODES) for mode in modes if mode not in ACCESS_MODES)
    if "ReadWriteOncePod" in modes and len(set(modes)) > 1:
        problems.append(forbidden(path, _ALONE))


def check_claim_spec(spec: PersistentVolumeClaimSpec, path: Path, problems: Problems) -> None:
    """How much storage of which sort is asked for."""
    check_access_modes(spec.accessModes, path.child("accessModes"), problems)
    if spec.HasField("selector"):
        check_selector(spec.selector, path.child("selector"), problems)
    _check_requested(spec, path, problems)
    if spec.storageClassName:
        check_name(names.dns1123_subdomain, spec.storageClassName, path.child("storageClassName"), problems)
    if spec.HasField("volumeMode") and spec.volumeMode not in VOLUME_MODES:
        problems.append(not_supported(path.child("volumeMode"), spec.volumeMode, VOLUME_MODES))
    _check_data_sources(spec, path, problems)


def _check_requested(spec: PersistentVolumeClaimSpec, path: Path, problems: Problems) -> None:
    if "storage" not in spec.resources.requests:
        problems.append(required(path.child("resources").key("storage")))
        return
    text = spec.resources.requests["storage"].string
    check_amount("storage", text, path.child("resources").key("storage"), problems)
    if is_zero_amount(text):
        problems.append(invalid(path.child("resources").key("storage"), text, "must be greater than zero"))
    check_request_within_limit(spec.resources, path.child("resources"), problems)


def _check_data_sources(spec: PersistentVolumeClaimSpec, path: Path, problems: Problems) -> None:
    for member in ("dataSource", "dataSourceRef"):
        if not spec.HasField(member):
            continue
        source = spec.dataSource if member == "dataSource" else spec.dataSourceRef
        at = path.child(member)
        check_given(source.name, at.child("name"), problems)
        check_given(source.kind, at.child("kind"), problems)
        if not source.apiGroup and source.kind != "PersistentVolumeClaim":
            detail = "must be 'PersistentVolumeClaim' when referencing the default apiGroup"
            problems.append(invalid(at, source.kind, detail))


_IMMUTABLE = (
    "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n"
)


def validate_claim_update(new: PersistentVolumeClaim, old: PersistentVolumeClaim) -> list[FieldError]:
    """The spec is fixed, but a bound claim may grow, and an unbound one may be bound."""
    problems = validate_claim(new)
    if _fixed_part(new, old) != _fixed_part(old, old):
        problems.append(forbidden(_SPEC, _IMMUTABLE))
    before, after = _requested(old), _requested(new)
    is_expandable = old.status.phase == "Bound"
    if after < before and not (is_expandable and after > _capacity(old)):
        detail = "field can not be less than status.capacity"
        at = _SPEC.child("resources", "requests", "storage")
        problems.append(forbidden(at, detail))
    return problems


def _fixed_part(claim: PersistentVolumeClaim, old: PersistentVolumeClaim) -> PersistentVolumeClaimSpec:
    """The spec without what this update may change."""
    spec = type(claim.spec)()
    spec.CopyFrom(claim.spec)
    if not old.spec.volumeName:
        spec.ClearField("volumeName")
    if not old.spec.HasField("storageClassName"):
        spec.ClearField("storageClassName")
    if old.status.phase == "Bound":
        if "storage" in spec.resources.requests:
            del spec.resources.requests["storage"]
        spec.ClearField("volumeAttributesClassName")
    return spec


def _requested(claim: PersistentVolumeClaim) -> Quantity:
    requests = claim.spec.resources.requests
    return _parsed(requests["storage"].string) if "storage" in requests else Quantity(0)


def _capacity(claim: PersistentVolumeClaim) -> Quantity:
    capacity = claim.status.capacity
    return _parsed(capacity["storage"].string) if "storage" in capacity else Quantity(0)


def _parsed(text: str) -> Quantity:
    try:
        return parse(text)
    except QuantityError:
        return Quantity(0)
