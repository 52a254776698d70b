"""Requests and limits of a container as text, for variables and for files of the downward API.

A limit that is not set is what the container could have at most: the pod's own limit, or else what the node has for
pods. CPU is counted in thousandths and everything else in whole units, both rounded up to whole divisors.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kubewire.api.core.v1.container_pb2 import Container
from kubewire.api.core.v1.field_selector_pb2 import ResourceFieldSelector
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.machinery.quantity import milli_value_of, value_of

Amounts = Mapping[str, str]
"""Quantities as text, by resource."""

_PLAIN: Final = ("cpu", "memory", "ephemeral-storage")
_HUGE_PAGES: Final = "hugepages-"


class UnknownResource(ValueError):
    """A name that stands for no request or limit; the API server refuses such pods."""


def resource_text(pod: Pod, container: Container, field: ResourceFieldSelector, allocatable: Amounts) -> str:
    """What `field` names of the container, in its divisor; a request that is not set is 0.

    Raises:
        UnknownResource: it names no request or limit.
    """
    what, _, resource = field.resource.partition(".")
    if what not in {"limits", "requests"} or not (resource in _PLAIN or resource.startswith(_HUGE_PAGES)):
        raise UnknownResource(f"unsupported container resource: {field.resource}")
    is_limit = what == "limits"
    amount = _limit(pod, container, resource, allocatable) if is_limit else _request(container, resource)
    return str(_in_divisors(resource, amount, field.divisor.string))


def _limit(pod: Pod, container: Container, resource: str, allocatable: Amounts) -> str:
    for limits in (container.resources.limits, pod.spec.resources.limits):
        if resource in limits:
            return limits[resource].string
    return allocatable.get(resource, "0")


def _request(container: Container, resource: str) -> str:
    requests = container.resources.requests
    return requests[resource].string if resource in requests else "0"


def _in_divisors(resource: str, amount: str, divisor: str) -> int:
    """How many whole divisors; none given, or zero, is one unit."""
    read = milli_value_of if resource == "cpu" else value_of
    size = read(divisor or "0") or read("1")
    return -(-read(amount) // size)
