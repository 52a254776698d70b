"""The quality of service of a pod, which follows from the requests and limits of its containers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from kubewire.machinery.quantity import Quantity, QuantityError, parse

if TYPE_CHECKING:
    from kubewire.api.core.v1.pod_spec_pb2 import PodSpec
    from kubewire.api.core.v1.resources_pb2 import ResourceRequirements
    from kubewire.api.resource.quantity_pb2 import Quantity as QuantityMessage

_COUNTED = ("cpu", "memory")


def qos_class(spec: PodSpec) -> str:
    """`Guaranteed` if every container's requests equal its limits, `BestEffort` if there are none at all."""
    requirements = _requirements(spec)
    if not any(resources.requests or resources.limits for resources in requirements):
        return "BestEffort"
    return _class_of(tuple(resources.SerializeToString(deterministic=True) for resources in requirements))


@lru_cache(maxsize=1024)
def _class_of(requirements: tuple[bytes, ...]) -> str:
    """Of requirements as bytes: pods of one template have the same."""
    from kubewire.api.core.v1.resources_pb2 import ResourceRequirements  # noqa: PLC0415 - only once there are pods

    requests: dict[str, Quantity] = {}
    limits: dict[str, Quantity] = {}
    is_limited = True
    for resources in map(ResourceRequirements.FromString, requirements):
        _add(requests, resources.requests)
        is_limited &= _add(limits, resources.limits) == len(_COUNTED)
    if not requests and not limits:
        return "BestEffort"
    return "Guaranteed" if is_limited and requests == limits else "Burstable"


def _requirements(spec: PodSpec) -> list[ResourceRequirements]:
    """The pod's own if it has any (KEP-2837), or those of its containers; ephemeral containers have none."""
    if spec.HasField("resources") and (spec.resources.requests or spec.resources.limits):
        return [spec.resources]
    containers = [*spec.containers, *spec.initContainers]
    return [container.resources for container in containers]


def _add(total: dict[str, Quantity], amounts: Mapping[str, QuantityMessage]) -> int:
    """Add positive amounts of cpu and memory; how many of the two there were."""
    found = 0
    for name in _COUNTED:
        amount = _amount(amounts, name)
        if amount > Quantity(0):
            total[name] = total[name] + amount if name in total else amount
            found += 1
    return found


def _amount(amounts: Mapping[str, QuantityMessage], name: str) -> Quantity:
    if name not in amounts:
        return Quantity(0)
    try:
        return parse(amounts[name].string)
    except QuantityError:
        return Quantity(0)
