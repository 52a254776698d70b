"""Classes of priority, classes of runtimes, and budgets of disruption."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubewire.apiserver.validation.checks import (
    Problems,
    check_amount_or_percent,
    check_name,
    check_selector,
    printed,
)
from kubewire.apiserver.validation.resources import check_resource_list
from kubewire.apiserver.validation.workloads import check_not_more_than_all
from kubewire.machinery import names
from kubewire.machinery.field_errors import (
    FieldError,
    forbidden,
    immutable,
    invalid,
    not_supported,
    required,
)
from kubewire.machinery.field_path import ROOT

if TYPE_CHECKING:
    from kubewire.api.node.v1.runtime_class_pb2 import RuntimeClass
    from kubewire.api.policy.v1.pod_disruption_budget_pb2 import PodDisruptionBudget
    from kubewire.api.scheduling.v1.priority_class_pb2 import PriorityClass

_SPEC = ROOT.child("spec")
_VALUE = ROOT.child("value")
HIGHEST_USER_PRIORITY = 1_000_000_000
_SYSTEM_PREFIX = "system-"
_SYSTEM_PRIORITIES = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
_PREEMPTION_POLICIES = ("Never", "PreemptLowerPriority")
_EVICTIONS = ("AlwaysAllow", "IfHealthyBudget")


def validate_priority_class(priority_class: PriorityClass) -> list[FieldError]:
    """High values and names that begin with `system-` are the cluster's own."""
    problems: Problems = []
    name = priority_class.metadata.name
    if name.startswith(_SYSTEM_PREFIX):
        if _SYSTEM_PRIORITIES.get(name) != priority_class.value:
            why = f"{name} is not a known system priority class"
            if name in _SYSTEM_PRIORITIES:
                why = f"value of {name} PriorityClass must be {_SYSTEM_PRIORITIES[name]}"
            detail = (
                f"priority class names with '{_SYSTEM_PREFIX}' prefix are reserved for system use only. error: {why}"
            )
            problems.append(forbidden(ROOT.child("metadata", "name"), detail))
    elif priority_class.value > HIGHEST_USER_PRIORITY:
        detail = f"maximum allowed value of a user defined priority is {HIGHEST_USER_PRIORITY}"
        problems.append(forbidden(_VALUE, detail))
    if priority_class.HasField("preemptionPolicy") and priority_class.preemptionPolicy not in _PREEMPTION_POLICIES:
        at = ROOT.child("preemptionPolicy")
        problems.append(not_supported(at, priority_class.preemptionPolicy, _PREEMPTION_POLICIES))
    return problems


def validate_priority_class_update(new: PriorityClass, old: PriorityClass) -> list[FieldError]:
    """Pods carry the value with them, so it does not change."""
    problems: Problems = []
    if new.value != old.value:
        problems.append(forbidden(_VALUE, "may not be changed in an update."))
    if new.preemptionPolicy != old.preemptionPolicy:
        problems.append(immutable(ROOT.child("preemptionPolicy"), new.preemptionPolicy))
    return problems


def validate_runtime_class(runtime_class: RuntimeClass) -> list[FieldError]:
    """The handler is the name the container runtime knows."""
    problems: Problems = []
    check_name(names.dns1123_label, runtime_class.handler, ROOT.child("handler"), problems)
    if runtime_class.HasField("overhead"):
        check_resource_list(runtime_class.overhead.podFixed, ROOT.child("overhead", "podFixed"), problems)
    return problems


def validate_runtime_class_update(new: RuntimeClass, old: RuntimeClass) -> list[FieldError]:
    """The handler does not change."""
    if new.handler == old.handler:
        return []
    return [immutable(ROOT.child("handler"), new.handler)]


def validate_disruption_budget(budget: PodDisruptionBudget) -> list[FieldError]:
    """One of two ways of saying how many pods stay."""
    problems: Problems = []
    spec = budget.spec
    if spec.HasField("minAvailable") and spec.HasField("maxUnavailable"):
        shown = {"minAvailable": printed(spec.minAvailable), "maxUnavailable": printed(spec.maxUnavailable)}
        problems.append(invalid(_SPEC, shown, "minAvailable and maxUnavailable cannot be both set"))
    if spec.HasField("minAvailable"):
        check_amount_or_percent(spec.minAvailable, _SPEC.child("minAvailable"), problems)
        check_not_more_than_all(spec.minAvailable, _SPEC.child("minAvailable"), problems)
    if spec.HasField("maxUnavailable"):
        check_amount_or_percent(spec.maxUnavailable, _SPEC.child("maxUnavailable"), problems)
        check_not_more_than_all(spec.maxUnavailable, _SPEC.child("maxUnavailable"), problems)
    check_selector(spec.selector, _SPEC.child("selector"), problems)
    if spec.HasField("unhealthyPodEvictionPolicy") and spec.unhealthyPodEvictionPolicy not in _EVICTIONS:
        at = _SPEC.child("unhealthyPodEvictionPolicy")
        problems.append(not_supported(at, spec.unhealthyPodEvictionPolicy, _EVICTIONS))
    return problems


def validate_disruption_budget_update(new: PodDisruptionBudget, _old: PodDisruptionBudget) -> list[FieldError]:
    """As on creation."""
    return validate_disruption_budget(new)


def validate_disruption_budget_status(new: PodDisruptionBudget, _old: PodDisruptionBudget) -> list[FieldError]:
    """Counts are not negative; conditions are complete."""
    problems: Problems = []
    path = ROOT.child("status")
    for name in ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"):
        if getattr(new.status, name) < 0:
            detail = "must be greater than or equal to 0"
            problems.append(invalid(path.child(name), getattr(new.status, name), detail))
    for position, condition in enumerate(new.status.conditions):
        if not condition.type:
            problems.append(required(path.child("conditions").index(position).child("type")))
    return problems
