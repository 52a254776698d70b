"""ResourceQuotas and LimitRanges: which resources can be limited, and how the limits relate to each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from kubewire.apiserver.validation.checks import Problems, check_name
from kubewire.apiserver.validation.resources import (
    HUGE_PAGES,
    STANDARD_RESOURCES,
    ResourceList,
    check_amount,
    resource_name_problems,
)
from kubewire.machinery import names
from kubewire.machinery.field_errors import FieldError, duplicate, forbidden, immutable, invalid, required
from kubewire.machinery.field_path import ROOT, Path
from kubewire.machinery.quantity import Quantity, QuantityError, parse

if TYPE_CHECKING:
    from kubewire.api.core.v1.limit_range_pb2 import LimitRange, LimitRangeItem
    from kubewire.api.core.v1.resource_quota_pb2 import ResourceQuota, ResourceQuotaSpec

_SPEC = ROOT.child("spec")
_STATUS = ROOT.child("status")
_QUOTA_RESOURCES = STANDARD_RESOURCES - {"storage"}
_SCOPES = frozenset(
    {
        "Terminating",
        "NotTerminating",
        "BestEffort",
        "NotBestEffort",
        "PriorityClass",
        "CrossNamespacePodAffinity",
        "VolumeAttributesClass",
    }
)
_OPPOSITES = ({"BestEffort", "NotBestEffort"}, {"Terminating", "NotTerminating"})


def validate_resource_quota(quota: ResourceQuota) -> list[FieldError]:
    """A new quota."""
    problems: Problems = []
    _check_quota_amounts(quota.spec.hard, _SPEC.child("hard"), problems)
    _check_scopes(quota.spec, _SPEC.child("scopes"), problems)
    return problems


def _check_quota_amounts(amounts: ResourceList, path: Path, problems: Problems) -> None:
    for name, amount in amounts.items():
        at = path.key(name)
        check_name(names.qualified_name, name, at, problems)
        is_page = name.startswith((HUGE_PAGES, f"requests.{HUGE_PAGES}"))
        if "/" not in name and name not in _QUOTA_RESOURCES and not is_page:
            problems.append(invalid(at, name, "must be a standard resource for quota"))
        check_amount(name, amount.string, at, problems)


def _check_scopes(spec: ResourceQuotaSpec, path: Path, problems: Problems) -> None:
    problems.extend(
        invalid(path, list(spec.scopes), "unsupported scope") for scope in spec.scopes if scope not in _SCOPES
    )
    if any(pair.issubset(spec.scopes) for pair in _OPPOSITES):
        problems.append(invalid(path, list(spec.scopes), "conflicting scopes"))
    for position, item in enumerate(spec.scopeSelector.matchExpressions):
        at = _SPEC.child("scopeSelector", "matchExpressions").index(position)
        if item.scopeName not in _SCOPES:
            problems.append(invalid(at.child("scopeName"), item.scopeName, "unsupported scope"))
        if item.operator in {"In", "NotIn"} and not item.values:
            detail = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
            problems.append(required(at.child("values"), detail))
        elif item.operator in {"Exists", "DoesNotExist"} and item.values:
            detail = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
            problems.append(invalid(at.child("values"), list(item.values), detail))
        elif item.operator not in {"In", "NotIn", "Exists", "DoesNotExist"}:
            problems.append(invalid(at.child("operator"), item.operator, "not a valid selector operator"))


def validate_resource_quota_update(new: ResourceQuota, old: ResourceQuota) -> list[FieldError]:
    """What a quota counts is fixed; how much it allows is not."""
    problems = validate_resource_quota(new)
    if set(new.spec.scopes) != set(old.spec.scopes):
        problems.append(immutable(_SPEC.child("scopes"), list(new.spec.scopes)))
    return problems


def validate_resource_quota_status(new: ResourceQuota, _old: ResourceQuota) -> list[FieldError]:
    """Amounts are well-formed."""
    problems: Problems = []
    _check_quota_amounts(new.status.hard, _STATUS.child("hard"), problems)
    _check_quota_amounts(new.status.used, _STATUS.child("used"), problems)
    return problems


_Amounts = dict[str, Quantity]


def validate_limit_range(limits: LimitRange) -> list[FieldError]:
    """At most one set of limits per type; within one, min <= defaultRequest <= default <= max."""
    problems: Problems = []
    seen: set[str] = set()
    for position, item in enumerate(limits.spec.limits):
        path = _SPEC.child("limits").index(position)
        if item.type in seen:
            problems.append(duplicate(path.child("type"), item.type))
        seen.add(item.type)
        _check_limits(item, path, problems)
    return problems


def validate_limit_range_update(new: LimitRange, _old: LimitRange) -> list[FieldError]:
    """As on creation."""
    return validate_limit_range(new)


def _check_limits(item: LimitRangeItem, path: Path, problems: Problems) -> None:
    amounts = {
        name: _parsed(getattr(item, name), path.child(name), problems)
        for name in ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio")
    }
    if item.type == "Pod":
        for name in ("default", "defaultRequest"):
            if amounts[name]:
                problems.append(forbidden(path.child(name), "may not be specified when `type` is 'Pod'"))
    if item.type == "PersistentVolumeClaim" and "storage" not in {*item.min, *item.max}:
        problems.append(required(path, "either minimum or maximum storage value is required, but neither was provided"))
    for name in sorted({key for known in amounts.values() for key in known}):
        _check_order(name, amounts, path, problems)


_ORDER = (
    ("min", "min value", "max", "max value"),
    ("min", "min value", "defaultRequest", "default request value"),
    ("defaultRequest", "default request value", "max", "max value"),
    ("defaultRequest", "default request value", "default", "default limit value"),
    ("min", "min value", "default", "default value"),
    ("default", "default value", "max", "max value"),
)
"""Pairs of which the first may not exceed the second, each with its name in messages."""


def _check_order(name: str, amounts: Mapping[str, _Amounts], path: Path, problems: Problems) -> None:
    for low, low_name, high, high_name in _ORDER:
        if name in amounts[low] and name in amounts[high] and amounts[low][name] > amounts[high][name]:
            detail = f"{low_name} {amounts[low][name]} is greater than {high_name} {amounts[high][name]}"
            at = path.child("defaultRequest" if low == "defaultRequest" else low).key(name)
            problems.append(invalid(at, str(amounts[low][name]), detail))
    ratio = amounts["maxLimitRequestRatio"].get(name)
    if ratio is not None and ratio < Quantity(1):
        at = path.child("maxLimitRequestRatio").key(name)
        problems.append(invalid(at, str(ratio), f"ratio {ratio} is less than 1"))


def _parsed(amounts: ResourceList, path: Path, problems: Problems) -> _Amounts:
    parsed: _Amounts = {}
    for name, amount in amounts.items():
        problems.extend(invalid(path.key(name), name, problem) for problem in resource_name_problems(name))
        try:
            parsed[name] = parse(amount.string)
        except QuantityError as error:
            problems.append(invalid(path.key(name), amount.string, str(error)))
    return parsed
