"""What a pod asks of its node: milli-CPUs, bytes and counts by resource name.

The rules are upstream's: containers add up, init containers run one after the other and only the largest counts, and
init containers that keep running (sidecars) count beside everything that starts after them. What the pod as a whole
asks for wins over its containers, and its runtime's overhead comes on top.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from kubewire.api.core.v1.container_pb2 import Container
from kubewire.api.core.v1.pod_spec_pb2 import PodSpec
from kubewire.api.core.v1.resources_pb2 import ResourceRequirements
from kubewire.api.resource.quantity_pb2 import Quantity
from kubewire.machinery.quantity import QuantityError, milli_value_of, value_of

CPU: Final = "cpu"
MEMORY: Final = "memory"
EPHEMERAL: Final = "ephemeral-storage"
PODS: Final = "pods"

AMOUNT_AT_MOST: Final = 1 << 55
"""No node has more of anything; a hundred times as much still fits 64 bits, which scores need."""

DEFAULT_MILLI_CPU: Final = 100
DEFAULT_MEMORY_BYTES: Final = 200 << 20
"""What a container that asks for none counts as when nodes are scored, so that such pods spread too."""

Amounts = dict[str, int]


class Requests(NamedTuple):
    """`asked` decides where a pod fits; `counted` (CPU and memory, with defaults) how nodes are scored."""

    asked: Mapping[str, int]
    counted: tuple[int, int]


def requests_of(spec: PodSpec) -> Requests:
    """What a pod asks for."""
    running = [container.resources.SerializeToString() for container in spec.containers]
    init = [(one.resources.SerializeToString(), one.restartPolicy == "Always") for one in spec.initContainers]
    whole = spec.resources.SerializeToString() if spec.HasField("resources") else b""
    overhead = tuple(sorted((name, amount_of(name, value)) for name, value in spec.overhead.items()))
    return _requests(tuple(running), tuple(init), whole, overhead)


@lru_cache(4096)
def _requests(
    running: tuple[bytes, ...],
    init: tuple[tuple[bytes, bool], ...],
    whole: bytes,
    overhead: tuple[tuple[str, int], ...],
) -> Requests:
    asked = _total(running, init, is_counted=False)
    counted = _total(running, init, is_counted=True)
    of_pod = _asked(whole)
    for total in (asked, counted):
        total.update({name: value for name, value in of_pod.items() if name in {CPU, MEMORY} or "hugepages-" in name})
        _add(total, dict(overhead))
    return Requests({name: value for name, value in asked.items() if value}, (counted[CPU], counted[MEMORY]))


def _total(running: Iterable[bytes], init: Iterable[tuple[bytes, bool]], *, is_counted: bool) -> Amounts:
    total: Amounts = {}
    for resources in running:
        _add(total, _asked(resources, is_counted=is_counted))
    sidecars: Amounts = {}
    largest: Amounts = {}
    for resources, is_sidecar in init:
        asked = _asked(resources, is_counted=is_counted)
        if is_sidecar:
            _add(total, asked)
            _add(sidecars, asked)
            _raise_to(largest, sidecars)
        else:
            _raise_to(largest, {name: asked.get(name, 0) + sidecars.get(name, 0) for name in {*asked, *sidecars}})
    _raise_to(total, largest)
    return total


def _asked(resources: bytes, *, is_counted: bool = False) -> Amounts:
    """A container's requests; `is_counted`: CPU and memory with their defaults."""
    asked = {
        name: amount_of(name, value) for name, value in ResourceRequirements.FromString(resources).requests.items()
    }
    if is_counted:
        asked.setdefault(CPU, DEFAULT_MILLI_CPU)
        asked.setdefault(MEMORY, DEFAULT_MEMORY_BYTES)
    return asked


def _add(total: Amounts, more: Mapping[str, int]) -> None:
    for name, value in more.items():
        total[name] = min(total.get(name, 0) + value, AMOUNT_AT_MOST)


def _raise_to(total: Amounts, least: Mapping[str, int]) -> None:
    for name, value in least.items():
        total[name] = max(total.get(name, 0), value)


def amount_of(name: str, quantity: Quantity) -> int:
    """A quantity as a whole number: thousandths of CPUs, whole units of everything else.

    What is no quantity counts as nothing: the API server lets none through.
    """
    try:
        value = milli_value_of(quantity.string) if name == CPU else value_of(quantity.string)
    except QuantityError:
        return 0
    return max(0, min(value, AMOUNT_AT_MOST))


def images_of(containers: Iterable[Container]) -> list[str]:
    """The images of containers, each with its tag."""
    return [with_tag(container.image) for container in containers]


def with_tag(image: str) -> str:
    """An image's name as nodes report it: `latest` unless it says which."""
    return image if ":" in image.rpartition("/")[2] or "@" in image else f"{image}:latest"
