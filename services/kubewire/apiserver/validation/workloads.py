"""Workloads that keep pods running: what they select, and how they roll a change out."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from kubewire.apiserver.validation.checks import (
    Problems,
    check_amount_or_percent,
    check_counts,
    check_enum,
    percent_of,
    printed,
    printed_map,
    printed_selector,
)
from kubewire.apiserver.validation.metadata import validate_labels
from kubewire.apiserver.validation.templates import (
    NO_MATCH,
    check_kept_running,
    check_selected,
    check_template,
    check_workload_selector,
)
from kubewire.machinery.field_errors import (
    FieldError,
    forbidden,
    immutable,
    invalid,
    not_supported,
    required,
)
from kubewire.machinery.field_path import ROOT, Path

if TYPE_CHECKING:
    from kubewire.api.apps.v1.controller_revision_pb2 import ControllerRevision
    from kubewire.api.apps.v1.daemon_set_pb2 import DaemonSet, DaemonSetUpdateStrategy
    from kubewire.api.apps.v1.deployment_pb2 import Deployment, DeploymentSpec, DeploymentStrategy
    from kubewire.api.apps.v1.replica_set_pb2 import ReplicaSet
    from kubewire.api.core.v1.replication_controller_pb2 import ReplicationController
    from kubewire.api.intstr.intstr_pb2 import IntOrString

    WithSelector: TypeAlias = Deployment | ReplicaSet | DaemonSet

_SPEC = ROOT.child("spec")
_STATUS = ROOT.child("status")
_TEMPLATE = _SPEC.child("template")
_SELECTOR = _SPEC.child("selector")
_ROLLING = "RollingUpdate"
MORE_THAN_ALL = "must not be greater than 100%"


def check_not_more_than_all(value: IntOrString, path: Path, problems: Problems) -> None:
    """A percentage of at most 100."""
    percent = percent_of(value)
    if percent is not None and percent > 100:
        problems.append(invalid(path, printed(value), MORE_THAN_ALL))


def is_zero(value: IntOrString) -> bool:
    """Whether an amount or percentage is nothing."""
    percent = percent_of(value)
    return percent == 0 if percent is not None else not printed(value)


def validate_deployment(deployment: Deployment) -> list[FieldError]:
    """A new Deployment."""
    problems: Problems = []
    spec = deployment.spec
    check_counts(spec, ("replicas",), _SPEC, problems)
    selector = spec.selector if spec.HasField("selector") else None
    if check_workload_selector(selector, "deployment", _SELECTOR, problems):
        check_selected(spec.selector, spec.template, _TEMPLATE, problems)
        check_template(spec.template, _TEMPLATE, problems)
        check_kept_running(spec.template, "ReplicaSet", _TEMPLATE, problems)
    _check_deployment_strategy(spec.strategy, _SPEC.child("strategy"), problems)
    check_counts(spec, ("minReadySeconds", "revisionHistoryLimit"), _SPEC, problems)
    _check_progress(spec, problems)
    return problems


def _check_progress(spec: DeploymentSpec, problems: Problems) -> None:
    if not spec.HasField("progressDeadlineSeconds"):
        return
    check_counts(spec, ("progressDeadlineSeconds",), _SPEC, problems)
    if spec.progressDeadlineSeconds <= spec.minReadySeconds:
        detail = "must be greater than minReadySeconds"
        problems.append(invalid(_SPEC.child("progressDeadlineSeconds"), spec.progressDeadlineSeconds, detail))


def _check_deployment_strategy(strategy: DeploymentStrategy, path: Path, problems: Problems) -> None:
    at = path.child("rollingUpdate")
    if strategy.type == "Recreate":
        if strategy.HasField("rollingUpdate"):
            detail = f"may not be specified when strategy `type` is '{strategy.type}'"
            problems.append(forbidden(at, detail))
    elif strategy.type != _ROLLING:
        problems.append(not_supported(path.child("type"), strategy.type, ("Recreate", _ROLLING)))
    elif not strategy.HasField("rollingUpdate"):
        problems.append(required(at, "this should be defaulted and never be nil"))
    else:
        rolling = strategy.rollingUpdate
        check_amount_or_percent(rolling.maxUnavailable, at.child("maxUnavailable"), problems)
        check_amount_or_percent(rolling.maxSurge, at.child("maxSurge"), problems)
        if is_zero(rolling.maxUnavailable) and is_zero(rolling.maxSurge):
            detail = "may not be 0 when `maxSurge` is 0"
            problems.append(invalid(at.child("maxUnavailable"), printed(rolling.maxUnavailable), detail))
        check_not_more_than_all(rolling.maxUnavailable, at.child("maxUnavailable"), problems)


def validate_deployment_update(new: Deployment, old: Deployment) -> list[FieldError]:
    """What a Deployment selects is fixed."""
    return validate_deployment(new) + _fixed_selector(new, old)


def _fixed_selector(new: WithSelector, old: WithSelector) -> list[FieldError]:
    if new.spec.selector == old.spec.selector:
        return []
    return [immutable(_SELECTOR, printed_selector(new.spec.selector))]


_DEPLOYMENT_COUNTS = (
    "observedGeneration",
    "replicas",
    "updatedReplicas",
    "readyReplicas",
    "availableReplicas",
    "unavailableReplicas",
)


def validate_deployment_status(new: Deployment, old: Deployment) -> list[FieldError]:
    """Parts are not greater than the whole; collisions are not forgotten."""
    problems: Problems = []
    status = new.status
    check_counts(status, _DEPLOYMENT_COUNTS, _STATUS, problems)
    for name in ("updatedReplicas", "readyReplicas", "availableReplicas"):
        if getattr(status, name) > status.replicas:
            detail = "cannot be greater than status.replicas"
            problems.append(invalid(_STATUS.child(name), getattr(status, name), detail))
    if status.availableReplicas > status.readyReplicas:
        detail = "cannot be greater than readyReplicas"
        problems.append(invalid(_STATUS.child("availableReplicas"), status.availableReplicas, detail))
    if status.collisionCount < old.status.collisionCount:
        detail = "cannot be decremented"
        value = status.collisionCount if status.HasField("collisionCount") else None
        problems.append(invalid(_STATUS.child("collisionCount"), value, detail))
    return problems


def validate_replica_set(replica_set: ReplicaSet) -> list[FieldError]:
    """A new ReplicaSet."""
    problems: Problems = []
    spec = replica_set.spec
    check_counts(spec, ("replicas", "minReadySeconds"), _SPEC, problems)
    selector = spec.selector if spec.HasField("selector") else None
    if check_workload_selector(selector, "deployment", _SELECTOR, problems):
        check_selected(spec.selector, spec.template, _TEMPLATE, problems)
        check_template(spec.template, _TEMPLATE, problems)
        check_kept_running(spec.template, "ReplicaSet", _TEMPLATE, problems)
    return problems


def validate_replica_set_update(new: ReplicaSet, old: ReplicaSet) -> list[FieldError]:
    """What a ReplicaSet selects is fixed."""
    return validate_replica_set(new) + _fixed_selector(new, old)


AnyReplicas: TypeAlias = "ReplicaSet | ReplicationController"
_REPLICA_COUNTS = ("replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "observedGeneration")


def validate_replicas_status(new: AnyReplicas, _old: AnyReplicas) -> list[FieldError]:
    """Parts are not greater than the whole."""
    problems: Problems = []
    status = new.status
    check_counts(status, _REPLICA_COUNTS, _STATUS, problems)
    for name in ("fullyLabeledReplicas", "readyReplicas", "availableReplicas"):
        if getattr(status, name) > status.replicas:
            detail = "cannot be greater than status.replicas"
            problems.append(invalid(_STATUS.child(name), getattr(status, name), detail))
    if status.availableReplicas > status.readyReplicas:
        detail = "cannot be greater than readyReplicas"
        problems.append(invalid(_STATUS.child("availableReplicas"), status.availableReplicas, detail))
    return problems


def validate_replication_controller(controller: ReplicationController) -> list[FieldError]:
    """A new ReplicationController, whose selector is a plain map."""
    problems: Problems = []
    spec = controller.spec
    check_counts(spec, ("minReadySeconds", "replicas"), _SPEC, problems)
    if spec.selector:
        problems += validate_labels(spec.selector, _SELECTOR)
    else:
        problems.append(required(_SELECTOR))
    if not spec.HasField("template"):
        problems.append(required(_TEMPLATE))
        return problems
    labels = spec.template.metadata.labels
    if any(labels.get(key) != value for key, value in spec.selector.items()):
        problems.append(invalid(_TEMPLATE.child("metadata", "labels"), printed_map(labels), NO_MATCH))
    check_template(spec.template, _TEMPLATE, problems)
    check_kept_running(spec.template, "ReplicationController", _TEMPLATE, problems)
    return problems


def validate_replication_controller_update(new: ReplicationController, _old: ReplicationController) -> list[FieldError]:
    """As on creation: even the selector may change."""
    return validate_replication_controller(new)


def validate_daemon_set(daemon_set: DaemonSet) -> list[FieldError]:
    """A new DaemonSet."""
    problems: Problems = []
    spec = daemon_set.spec
    selector = spec.selector if spec.HasField("selector") else None
    if check_workload_selector(selector, "daemonset", _SELECTOR, problems):
        check_selected(spec.selector, spec.template, _TEMPLATE, problems)
    check_template(spec.template, _TEMPLATE, problems)
    check_kept_running(spec.template, "DaemonSet", _TEMPLATE, problems)
    check_counts(spec, ("minReadySeconds", "revisionHistoryLimit"), _SPEC, problems)
    _check_daemon_strategy(spec.updateStrategy, _SPEC.child("updateStrategy"), problems)
    return problems


def _check_daemon_strategy(strategy: DaemonSetUpdateStrategy, path: Path, problems: Problems) -> None:
    check_enum(strategy.type, (_ROLLING, "OnDelete"), path.child("type"), problems)
    if strategy.type != _ROLLING:
        return
    at = path.child("rollingUpdate")
    if not strategy.HasField("rollingUpdate"):
        problems.append(required(at))
        return
    rolling = strategy.rollingUpdate
    check_amount_or_percent(rolling.maxUnavailable, at.child("maxUnavailable"), problems)
    check_amount_or_percent(rolling.maxSurge, at.child("maxSurge"), problems)
    stays, surges = is_zero(rolling.maxUnavailable), not is_zero(rolling.maxSurge)
    if not stays and surges:
        detail = "may not be set when maxUnavailable is non-zero"
        problems.append(invalid(at.child("maxSurge"), printed(rolling.maxSurge), detail))
    elif stays and not surges:
        problems.append(required(at.child("maxUnavailable"), "cannot be 0 when maxSurge is 0"))
    check_not_more_than_all(rolling.maxUnavailable, at.child("maxUnavailable"), problems)
    check_not_more_than_all(rolling.maxSurge, at.child("maxSurge"), problems)


def validate_daemon_set_update(new: DaemonSet, old: DaemonSet) -> list[FieldError]:
    """What a DaemonSet selects is fixed."""
    return validate_daemon_set(new) + _fixed_selector(new, old)


_DAEMON_COUNTS = (
    "currentNumberScheduled",
    "numberMisscheduled",
    "desiredNumberScheduled",
    "numberReady",
    "observedGeneration",
    "updatedNumberScheduled",
    "numberAvailable",
    "numberUnavailable",
)


def validate_daemon_set_status(new: DaemonSet, old: DaemonSet) -> list[FieldError]:
    """Counts are not negative; collisions are not forgotten."""
    problems: Problems = []
    check_counts(new.status, _DAEMON_COUNTS, _STATUS, problems)
    if new.status.collisionCount < old.status.collisionCount:
        at = _STATUS.child("collisionCount")
        problems.append(invalid(at, new.status.collisionCount, "cannot be decremented"))
    return problems


def validate_controller_revision(revision: ControllerRevision) -> list[FieldError]:
    """A revision holds data and a number."""
    problems: Problems = []
    if not revision.HasField("data"):
        problems.append(required(ROOT.child("data"), "data is mandatory"))
    check_counts(revision, ("revision",), ROOT, problems)
    return problems


def validate_controller_revision_update(new: ControllerRevision, old: ControllerRevision) -> list[FieldError]:
    """Its data are history and do not change."""
    problems = validate_controller_revision(new)
    if new.data != old.data:
        problems.append(immutable(ROOT.child("data"), new.data.raw.decode("utf-8", "replace")))
    return problems
