"""Resources of pods: requests follow limits, and what a pod asks for as a whole follows its containers."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from kubewire.apiserver.defaults.resource_lists import copy_missing
from kubewire.machinery.quantity import ZERO, Quantity, QuantityError, parse

if TYPE_CHECKING:
    from kubewire.api.core.v1.container_pb2 import Container
    from kubewire.api.core.v1.pod_spec_pb2 import PodSpec
    from kubewire.apiserver.defaults.resource_lists import ResourceList

Amounts: TypeAlias = dict[str, Quantity]

_HUGE_PAGES = "hugepages-"
_POD_RESOURCES = frozenset({"cpu", "memory"})


def default_pod_resources(spec: PodSpec) -> None:
    """Requests of containers default to their limits; those of the pod to its containers', then its limits.

    Mirrors KEP-2837: a pod's own amounts exist only for cpu, memory and huge pages.
    """
    for container in spec.containers:
        _default_requests(container)
    for container in spec.initContainers:
        _default_requests(container)
    if spec.HasField("resources"):
        _default_pod_level(spec)


def _default_requests(container: Container) -> None:
    if container.HasField("resources") and container.resources.limits:
        copy_missing(container.resources.limits, container.resources.requests)


def _default_pod_level(spec: PodSpec) -> None:
    resources = spec.resources
    if resources.limits or resources.requests:
        _default_huge_page_limits(spec)
    if not resources.limits:
        return
    for name, amount in _effective(spec, "requests").items():
        if name in _POD_RESOURCES and name not in resources.requests:
            resources.requests[name].string = str(amount)
    for name, limit in resources.limits.items():
        if _is_pod_level(name) and name not in resources.requests:
            resources.requests[name].CopyFrom(limit)


def _default_huge_page_limits(spec: PodSpec) -> None:
    resources = spec.resources
    for name, amount in _effective(spec, "limits").items():
        is_open = name not in resources.requests and name not in resources.limits
        if name.startswith(_HUGE_PAGES) and is_open:
            resources.limits[name].string = str(amount)


def _is_pod_level(name: str) -> bool:
    return name in _POD_RESOURCES or name.startswith(_HUGE_PAGES)


def _effective(spec: PodSpec, member: str) -> Amounts:
    """What the containers need together: all of them and the sidecars, or any init container on its way."""
    needed: Amounts = {}
    for container in spec.containers:
        _add(needed, _amounts(container, member))
    sidecars: Amounts = {}
    peak: Amounts = {}
    for container in spec.initContainers:
        amounts = _amounts(container, member)
        if container.restartPolicy == "Always":
            _add(needed, amounts)
            _add(sidecars, amounts)
            _raise_to(peak, sidecars)
        else:
            _add(amounts, sidecars)
            _raise_to(peak, amounts)
    _raise_to(needed, peak)
    return needed


def _amounts(container: Container, member: str) -> Amounts:
    resources = container.resources
    amounts: ResourceList = resources.limits if member == "limits" else resources.requests
    return {name: _parsed(amount.string) for name, amount in amounts.items()}


def _parsed(text: str) -> Quantity:
    try:
        return parse(text)
    except QuantityError:
        return ZERO


def _add(target: Amounts, more: Amounts) -> None:
    for name, amount in more.items():
        target[name] = target[name] + amount if name in target else amount


def _raise_to(target: Amounts, other: Amounts) -> None:
    for name, amount in other.items():
        if name not in target or target[name] < amount:
            target[name] = amount
