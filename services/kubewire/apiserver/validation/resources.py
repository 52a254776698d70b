"""Amounts of resources: which names containers may ask for, and how requests relate to limits."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from kubewire.apiserver.validation.checks import NEGATIVE, Problems, problems_of
from kubewire.machinery import names
from kubewire.machinery.field_errors import forbidden, invalid, required
from kubewire.machinery.field_path import Path
from kubewire.machinery.quantity import Quantity, QuantityError, parse

if TYPE_CHECKING:
    from kubewire.api.core.v1.claim_spec_pb2 import VolumeResourceRequirements
    from kubewire.api.core.v1.resources_pb2 import ResourceRequirements
    from kubewire.api.resource.quantity_pb2 import Quantity as QuantityMessage

ResourceList: TypeAlias = "Mapping[str, QuantityMessage]"
Requirements: TypeAlias = "ResourceRequirements | VolumeResourceRequirements"

HUGE_PAGES = "hugepages-"
_CONTAINER_RESOURCES = frozenset({"cpu", "memory", "ephemeral-storage"})
_COUNTED_RESOURCES = frozenset(
    {
        "pods",
        "services",
        "replicationcontrollers",
        "resourcequotas",
        "secrets",
        "configmaps",
        "persistentvolumeclaims",
        "services.nodeports",
        "services.loadbalancers",
    }
)
STANDARD_RESOURCES = (
    _CONTAINER_RESOURCES
    | _COUNTED_RESOURCES
    | {
        "storage",
        "requests.cpu",
        "requests.memory",
        "requests.storage",
        "requests.ephemeral-storage",
        "limits.cpu",
        "limits.memory",
        "limits.ephemeral-storage",
    }
)
_COMPUTE = frozenset({"cpu", "memory"})
_NOT_INTEGER = "must be an integer"


def is_native(name: str) -> bool:
    """Whether a resource is Kubernetes' own and not some vendor's."""
    return "/" not in name or "kubernetes.io/" in name


@lru_cache(2048)
def is_extended(name: str) -> bool:
    """Whether a resource is a vendor's: counted in whole units, never overcommitted."""
    return not is_native(name) and not name.startswith("requests.") and not names.qualified_name(f"requests.{name}")


def is_overcommittable(name: str) -> bool:
    """Whether limits may exceed requests."""
    return is_native(name) and not name.startswith(HUGE_PAGES)


@lru_cache(2048)
def container_resource_problems(name: str) -> tuple[str, ...]:
    """What is wrong with a name that containers ask for."""
    problems = problems_of(names.qualified_name, name)
    if problems:
        return problems
    if "/" not in name:
        is_known = name in _CONTAINER_RESOURCES or name.startswith(HUGE_PAGES)
        return () if is_known else ("must be a standard resource for containers",)
    if is_native(name) or is_extended(name):
        return ()
    return ("doesn't follow extended resource name standard",)


@lru_cache(2048)
def resource_name_problems(name: str) -> tuple[str, ...]:
    """What is wrong with a name of a resource anywhere else."""
    problems = problems_of(names.qualified_name, name)
    if problems or "/" in name or name in STANDARD_RESOURCES or name.startswith(HUGE_PAGES):
        return problems
    return ("must be a standard resource type or fully qualified",)


@lru_cache(8192)
def _amount_problems(name: str, text: str) -> tuple[str, ...]:
    try:
        amount = parse(text)
    except QuantityError as error:
        return (str(error),)
    if amount < Quantity(0):
        return (NEGATIVE,)
    if (name in _COUNTED_RESOURCES or is_extended(name)) and amount.milli_value % 1000:
        return (_NOT_INTEGER,)
    if name.startswith(HUGE_PAGES):
        return _page_problems(name, amount)
    return ()


def _page_problems(name: str, amount: Quantity) -> tuple[str, ...]:
    try:
        size = parse(name.removeprefix(HUGE_PAGES)).value
    except QuantityError as error:
        return (str(error),)
    if size <= 0 or amount.value % size:
        return (f"hugepage value must be a positive integer multiple of {name.removeprefix(HUGE_PAGES)}",)
    return ()


def check_amount(name: str, text: str, path: Path, problems: Problems) -> None:
    """An amount is a quantity, not negative, and whole where the resource is counted."""
    problems.extend(invalid(path, text, problem) for problem in _amount_problems(name, text))


def is_zero_amount(text: str) -> bool:
    """Whether an amount is nothing; what is no amount is not."""
    try:
        return parse(text) == Quantity(0)
    except QuantityError:
        return False


def check_resource_list(amounts: ResourceList, path: Path, problems: Problems) -> None:
    """Amounts outside containers: capacities, quotas."""
    for name, amount in amounts.items():
        if resource_name_problems(name) or _amount_problems(name, amount.string):
            at = path.key(name)
            problems.extend(invalid(at, name, problem) for problem in resource_name_problems(name))
            check_amount(name, amount.string, at, problems)


def check_requirements(resources: ResourceRequirements, path: Path, problems: Problems) -> None:
    """Limits and requests of a container."""
    limits, requests = resources.limits, resources.requests
    if not limits and not requests:
        return
    if limits:
        _check_container_amounts(limits, path.child("limits"), problems)
    if requests:
        _check_container_amounts(requests, path.child("requests"), problems)
    check_request_within_limit(resources, path, problems)
    asked = {*limits, *requests}
    if not asked & _COMPUTE and any(name.startswith(HUGE_PAGES) for name in asked):
        problems.append(forbidden(path, "HugePages require cpu or memory"))


def _check_container_amounts(amounts: ResourceList, path: Path, problems: Problems) -> None:
    for name, amount in amounts.items():
        if container_resource_problems(name) or _amount_problems(name, amount.string):
            at = path.key(name)
            problems.extend(invalid(at, name, problem) for problem in container_resource_problems(name))
            check_amount(name, amount.string, at, problems)


def check_request_within_limit(resources: Requirements, path: Path, problems: Problems) -> None:
    """No request exceeds its limit; resources that cannot be overcommitted have equal limits."""
    limits = resources.limits
    for name, request in resources.requests.items():
        if name in limits:
            relation = _relation(name, request.string, limits[name].string)
            if relation:
                detail = f"{relation} {name} limit of {limits[name].string}"
                problems.append(invalid(path.child("requests"), request.string, detail))
        elif not is_overcommittable(name):
            detail = "Limit must be set for non overcommitable resources"
            problems.append(required(path.child("limits"), detail))


@lru_cache(8192)
def _relation(name: str, request: str, limit: str) -> str:
    """How a request has to relate to its limit, if it does not."""
    try:
        asked, allowed = parse(request), parse(limit)
    except QuantityError:
        return ""
    if asked != allowed and not is_overcommittable(name):
        return "must be equal to"
    return "must be less than or equal to" if asked > allowed else ""
