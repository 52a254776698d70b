"""StatefulSets: pods with names and volumes of their own, so most of the spec is fixed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubewire.apiserver.validation.checks import Problems, check_counts, check_enum, check_name, printed, without
from kubewire.apiserver.validation.claims import check_claim_spec
from kubewire.apiserver.validation.templates import (
    check_kept_running,
    check_selected,
    check_template,
    check_workload_selector,
)
from kubewire.apiserver.validation.workloads import check_not_more_than_all, is_zero
from kubewire.machinery import names
from kubewire.machinery.field_errors import FieldError, forbidden, invalid, required
from kubewire.machinery.field_path import ROOT, Path

if TYPE_CHECKING:
    from kubewire.api.apps.v1.stateful_set_pb2 import StatefulSet, StatefulSetSpec

_SPEC = ROOT.child("spec")
_STATUS = ROOT.child("status")
_TEMPLATE = _SPEC.child("template")
_RETENTIONS = ("Delete", "Retain")
_CHANGEABLE = (
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
)
_FORBIDDEN = (
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
    "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
)


def validate_stateful_set(stateful_set: StatefulSet) -> list[FieldError]:
    """A new StatefulSet."""
    problems: Problems = []
    spec = stateful_set.spec
    _check_policies(spec, problems)
    check_counts(spec, ("replicas", "minReadySeconds", "revisionHistoryLimit"), _SPEC, problems)
    check_counts(spec.ordinals, ("start",), _SPEC.child("ordinals"), problems)
    selector = spec.selector if spec.HasField("selector") else None
    if check_workload_selector(selector, "statefulset", _SPEC.child("selector"), problems):
        check_selected(spec.selector, spec.template, _TEMPLATE, problems)
    check_template(spec.template, _TEMPLATE, problems)
    check_kept_running(spec.template, "StatefulSet", _TEMPLATE, problems)
    if spec.serviceName:
        check_name(names.dns1123_subdomain, spec.serviceName, _SPEC.child("serviceName"), problems)
    for position, claim in enumerate(spec.volumeClaimTemplates):
        path = _SPEC.child("volumeClaimTemplates").index(position).child("spec")
        check_claim_spec(claim.spec, path, problems)
    return problems


def _check_policies(spec: StatefulSetSpec, problems: Problems) -> None:
    at = _SPEC.child("podManagementPolicy")
    if not spec.podManagementPolicy:
        problems.append(required(at))
    elif spec.podManagementPolicy not in {"OrderedReady", "Parallel"}:
        problems.append(invalid(at, spec.podManagementPolicy, "must be 'OrderedReady' or 'Parallel'"))
    _check_update_strategy(spec, _SPEC.child("updateStrategy"), problems)
    if spec.HasField("persistentVolumeClaimRetentionPolicy"):
        at = _SPEC.child("persistentVolumeClaimRetentionPolicy")
        retention = spec.persistentVolumeClaimRetentionPolicy
        check_enum(retention.whenDeleted, _RETENTIONS, at.child("whenDeleted"), problems)
        check_enum(retention.whenScaled, _RETENTIONS, at.child("whenScaled"), problems)


def _check_update_strategy(spec: StatefulSetSpec, path: Path, problems: Problems) -> None:
    strategy = spec.updateStrategy
    rolling = strategy.rollingUpdate
    if not strategy.type:
        problems.append(required(path))
    elif strategy.type == "OnDelete":
        if strategy.HasField("rollingUpdate"):
            detail = "only allowed for updateStrategy 'RollingUpdate'"
            shown = {"partition": rolling.partition} if rolling.HasField("partition") else {}
            problems.append(invalid(path.child("rollingUpdate"), shown, detail))
    elif strategy.type != "RollingUpdate":
        detail = "must be 'RollingUpdate' or 'OnDelete'"
        problems.append(invalid(path, {"type": strategy.type}, detail))
    elif strategy.HasField("rollingUpdate"):
        check_counts(rolling, ("partition",), path.child("rollingUpdate"), problems)
        if rolling.HasField("maxUnavailable"):
            at = path.child("rollingUpdate", "maxUnavailable")
            check_not_more_than_all(rolling.maxUnavailable, at, problems)
            if is_zero(rolling.maxUnavailable):
                problems.append(invalid(at, printed(rolling.maxUnavailable), "cannot be 0"))


def validate_stateful_set_update(new: StatefulSet, old: StatefulSet) -> list[FieldError]:
    """Identity and volumes are fixed."""
    problems = validate_stateful_set(new)
    if without(new.spec, _CHANGEABLE) != without(old.spec, _CHANGEABLE):
        problems.append(forbidden(_SPEC, _FORBIDDEN))
    return problems


_COUNTS = (
    "replicas",
    "readyReplicas",
    "currentReplicas",
    "updatedReplicas",
    "availableReplicas",
    "observedGeneration",
)


def validate_stateful_set_status(new: StatefulSet, old: StatefulSet) -> list[FieldError]:
    """Parts are not greater than the whole; collisions are not forgotten."""
    problems: Problems = []
    status = new.status
    check_counts(status, _COUNTS, _STATUS, problems)
    for name in ("readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"):
        if getattr(status, name) > status.replicas:
            detail = "cannot be greater than status.replicas"
            problems.append(invalid(_STATUS.child(name), getattr(status, name), detail))
    if status.availableReplicas > status.readyReplicas:
        detail = "cannot be greater than status.readyReplicas"
        problems.append(invalid(_STATUS.child("availableReplicas"), status.availableReplicas, detail))
    if status.collisionCount < old.status.collisionCount:
        at = _STATUS.child("collisionCount")
        problems.append(invalid(at, status.collisionCount, "cannot be decremented"))
    return problems
