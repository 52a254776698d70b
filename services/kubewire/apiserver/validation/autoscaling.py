"""Horizontal pod autoscalers: bounds, targets, metrics and behavior."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from kubewire.apiserver.validation.checks import Problems, check_counts, check_enum, check_given, check_name
from kubewire.machinery import names
from kubewire.machinery.field_errors import FieldError, forbidden, invalid, not_supported, required
from kubewire.machinery.field_path import ROOT, Path
from kubewire.machinery.quantity import Quantity, QuantityError, parse

if TYPE_CHECKING:
    from kubewire.api.autoscaling.v1.horizontal_pod_autoscaler_pb2 import (
        CrossVersionObjectReference as ReferenceV1,
    )
    from kubewire.api.autoscaling.v1.horizontal_pod_autoscaler_pb2 import (
        HorizontalPodAutoscaler as AutoscalerV1,
    )
    from kubewire.api.autoscaling.v2.horizontal_pod_autoscaler_pb2 import (
        CrossVersionObjectReference,
        HorizontalPodAutoscaler,
        HPAScalingRules,
        MetricSpec,
        MetricTarget,
    )

    AnyAutoscaler: TypeAlias = HorizontalPodAutoscaler | AutoscalerV1
    AnyReference: TypeAlias = CrossVersionObjectReference | ReferenceV1

_SPEC = ROOT.child("spec")
_SOURCES = {
    "ContainerResource": "containerResource",
    "External": "external",
    "Object": "object",
    "Pods": "pods",
    "Resource": "resource",
}
_TARGET_TYPES = ("AverageValue", "Utilization", "Value")
_MAX_WINDOW_SECONDS = 3600
_MAX_PERIOD_SECONDS = 1800
_SELECT_POLICIES = ("Disabled", "Max", "Min")
_POLICY_TYPES = ("Percent", "Pods")


def validate_autoscaler(autoscaler: AnyAutoscaler) -> list[FieldError]:
    """A new autoscaler, in whichever version it came."""
    problems: Problems = []
    spec = autoscaler.spec
    if spec.HasField("minReplicas") and spec.minReplicas < 1:
        detail = "must be greater than or equal to 1"
        problems.append(invalid(_SPEC.child("minReplicas"), spec.minReplicas, detail))
    if spec.maxReplicas < 1:
        problems.append(invalid(_SPEC.child("maxReplicas"), spec.maxReplicas, "must be greater than 0"))
    if spec.HasField("minReplicas") and spec.maxReplicas < spec.minReplicas:
        detail = "must be greater than or equal to `minReplicas`"
        problems.append(invalid(_SPEC.child("maxReplicas"), spec.maxReplicas, detail))
    _check_reference(spec.scaleTargetRef, _SPEC.child("scaleTargetRef"), problems)
    for position, metric in enumerate(getattr(spec, "metrics", ())):
        _check_metric(metric, _SPEC.child("metrics").index(position), problems)
    if any(member.name == "behavior" for member, _ in spec.ListFields()):
        _check_behavior(autoscaler, problems)
    return problems


def validate_autoscaler_update(new: AnyAutoscaler, _old: AnyAutoscaler) -> list[FieldError]:
    """As on creation."""
    return validate_autoscaler(new)


def validate_autoscaler_status(new: AnyAutoscaler, _old: AnyAutoscaler) -> list[FieldError]:
    """Counts are not negative."""
    problems: Problems = []
    check_counts(new.status, ("currentReplicas", "desiredReplicas"), ROOT.child("status"), problems)
    return problems


def _check_reference(reference: AnyReference, path: Path, problems: Problems) -> None:
    for name in ("kind", "name"):
        text: str = getattr(reference, name)
        if text:
            check_name(names.path_segment, text, path.child(name), problems)
        else:
            problems.append(required(path.child(name)))
    if reference.apiVersion.count("/") > 1:
        problems.append(
            invalid(
                path.child("apiVersion"),
                reference.apiVersion,
                f"unexpected GroupVersion string: {reference.apiVersion}",
            )
        )


def _check_metric(metric: MetricSpec, path: Path, problems: Problems) -> None:
    if not metric.type:
        problems.append(required(path.child("type"), "must specify a metric source type"))
        return
    if metric.type not in _SOURCES:
        problems.append(not_supported(path.child("type"), metric.type, sorted(_SOURCES)))
        return
    wanted = _SOURCES[metric.type]
    given = [member.name for member, _ in metric.ListFields() if member.name != "type"]
    if wanted not in given:
        problems.append(required(path.child(wanted), "must populate information for the given metric source"))
    else:
        _check_source(metric, wanted, path.child(wanted), problems)
    detail = "must populate the given metric source only"
    problems.extend(forbidden(path.child(name), detail) for name in given if name != wanted)


def _check_source(metric: MetricSpec, member: str, path: Path, problems: Problems) -> None:
    if member == "resource":
        check_given(metric.resource.name, path.child("name"), problems)
        _check_target(metric.resource.target, path.child("target"), problems)
    elif member == "containerResource":
        check_given(metric.containerResource.name, path.child("name"), problems)
        check_given(metric.containerResource.container, path.child("container"), problems)
        _check_target(metric.containerResource.target, path.child("target"), problems)
    elif member == "pods":
        check_given(metric.pods.metric.name, path.child("metric", "name"), problems)
        _check_target(metric.pods.target, path.child("target"), problems)
    elif member == "object":
        _check_reference(metric.object.describedObject, path.child("describedObject"), problems)
        check_given(metric.object.metric.name, path.child("metric", "name"), problems)
        _check_target(metric.object.target, path.child("target"), problems)
    else:
        check_given(metric.external.metric.name, path.child("metric", "name"), problems)
        _check_target(metric.external.target, path.child("target"), problems)


def _check_target(target: MetricTarget, path: Path, problems: Problems) -> None:
    check_enum(target.type, _TARGET_TYPES, path.child("type"), problems)
    if target.HasField("averageUtilization") and target.averageUtilization < 1:
        detail = "must be greater than 0"
        problems.append(invalid(path.child("averageUtilization"), target.averageUtilization, detail))
    if target.HasField("value") and not _is_positive(target.value.string):
        problems.append(invalid(path.child("value"), target.value.string, "must be positive"))
    if target.HasField("averageValue") and not _is_positive(target.averageValue.string):
        problems.append(invalid(path.child("averageValue"), target.averageValue.string, "must be positive"))


def _is_positive(text: str) -> bool:
    try:
        return parse(text) > Quantity(0)
    except QuantityError:
        return False


def _check_behavior(autoscaler: AnyAutoscaler, problems: Problems) -> None:
    behavior = getattr(autoscaler.spec, "behavior")  # noqa: B009 - only version 2 has it
    for name in ("scaleUp", "scaleDown"):
        if behavior.HasField(name):
            _check_rules(getattr(behavior, name), _SPEC.child("behavior", name), problems)


def _check_rules(rules: HPAScalingRules, path: Path, problems: Problems) -> None:
    seconds = rules.stabilizationWindowSeconds
    at = path.child("stabilizationWindowSeconds")
    if seconds < 0:
        problems.append(invalid(at, seconds, "must be greater than or equal to zero"))
    if seconds > _MAX_WINDOW_SECONDS:
        problems.append(invalid(at, seconds, f"must be less than or equal to {_MAX_WINDOW_SECONDS}"))
    if rules.selectPolicy and rules.selectPolicy not in _SELECT_POLICIES:
        problems.append(not_supported(path.child("selectPolicy"), rules.selectPolicy, _SELECT_POLICIES))
    at = path.child("policies")
    if not rules.policies:
        problems.append(required(at, "must specify at least one Policy"))
    for position, policy in enumerate(rules.policies):
        where = at.index(position)
        if policy.type not in _POLICY_TYPES:
            problems.append(not_supported(where.child("type"), policy.type, _POLICY_TYPES))
        if policy.value <= 0:
            problems.append(invalid(where.child("value"), policy.value, "must be greater than zero"))
        if policy.periodSeconds <= 0:
            detail = "must be greater than zero"
            problems.append(invalid(where.child("periodSeconds"), policy.periodSeconds, detail))
        if policy.periodSeconds > _MAX_PERIOD_SECONDS:
            detail = f"must be less than or equal to {_MAX_PERIOD_SECONDS}"
            problems.append(invalid(where.child("periodSeconds"), policy.periodSeconds, detail))
