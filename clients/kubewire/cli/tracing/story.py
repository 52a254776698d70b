"""The hops of a change, from what the API server remembers. Pure.

A pod's versions show what happened (it was bound, its containers run, it is ready); the record of the write that made
a version says when it was committed. Where records or versions are gone, the times that objects carry themselves take
their place: those are whole seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from kubewire.api.core.v1.pod_pb2 import ContainerStatus, Pod
from kubewire.api.discovery.v1.endpoint_slice_pb2 import EndpointSlice
from kubewire.api.meta.v1.time_pb2 import Time
from kubewire.client.objects import T

ROUNDED = 1.0
"""Objects carry times in whole seconds: what they tell may have happened up to a second later."""


_CREATING: Final = frozenset({"create", "apply"})


class Write(NamedTuple):
    """One committed write, as a server's record has it; times are Unix seconds."""

    version: str
    verb: str
    user: str
    manager: str
    cause: str
    received: float
    committed: float


class Hop(NamedTuple):
    """One step. `is_exact` is false where only the second is known."""

    at: float
    who: str
    what: str
    is_exact: bool = True


Records = Mapping[tuple[str, str], Mapping[str, Write]]
"""Writes by version, by resource and name."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was found out about an object.

    Attributes:
        resource: `replicasets.apps`.
        created: when it was, by its own account.
        pods: versions of its pods in the order in which they were made; only the present ones if history is gone.
        slices: versions of the slices that hold these pods' addresses.
        records: of all these.
        proxies: when each node's proxy last programmed everything, by node.
    """

    resource: str
    name: str
    created: float
    pods: Sequence[Pod] = ()
    slices: Sequence[EndpointSlice] = ()
    records: Records = field(default_factory=dict)
    proxies: Mapping[str, float] = field(default_factory=dict)


def story(seen: Seen) -> list[Hop]:
    """All hops in the order in which they happened."""
    hops = [*_creation(seen), *_of_pods(seen), *_of_slices(seen)]
    latest = max((hop.at for hop in hops), default=seen.created)
    hops += [Hop(at, f"kube-proxy {node}", "programmed") for node, at in seen.proxies.items() if at >= latest - ROUNDED]
    return sorted(hops, key=lambda hop: hop.at)


def _creation(seen: Seen) -> Iterator[Hop]:
    writes = seen.records.get((seen.resource, seen.name), {}).values()
    first = next((write for write in writes if write.verb in _CREATING and _is_at(write, seen.created)), None)
    if first is None:
        yield Hop(seen.created, "API server", f"{seen.resource}/{seen.name} created", is_exact=False)
        return
    yield Hop(first.received, "API server", f"request of {first.user} ({first.manager}) accepted")
    yield Hop(first.committed, "etcd", f"{seen.resource}/{seen.name} committed as version {first.version}")


def _of_pods(seen: Seen) -> Iterator[Hop]:
    for name, versions in _by_name(seen.pods).items():
        records = seen.records.get(("pods", name), {})
        for step in _STEPS:
            index = next((index for index, pod in enumerate(versions) if step.is_done(pod)), None)
            if index is not None:
                yield _hop(step, versions[index], _witness(records, versions[index].metadata.resourceVersion, index))


def _hop(step: _Step, pod: Pod, write: Write | None) -> Hop:
    what = f"{pod.metadata.name}: {step.what(pod)}"
    if write is None:
        return Hop(step.by_its_own_account(pod), step.who(pod), what, is_exact=False)
    since = f", because of {write.cause}" if write.cause and step.tells_cause else ""
    return Hop(write.committed, step.who(pod), what + since)


def _witness(records: Mapping[str, Write], version: str, index: int) -> Write | None:
    """The write that made something so: it made the object, or there is a version before it where it was not so."""
    write = records.get(version)
    return write if write is not None and (index or write.verb in _CREATING) else None


def _of_slices(seen: Seen) -> Iterator[Hop]:
    """The moments at which each pod's address became one that Services send to."""
    wanted = {pod.status.podIP: name for name, versions in _by_name(seen.pods).items() for pod in versions[-1:]}
    told: set[str] = set()
    for name, versions in _by_name(seen.slices).items():
        records = seen.records.get(("endpointslices.discovery.k8s.io", name), {})
        for index, slice_ in enumerate(versions):
            ready = {address for one in slice_.endpoints if one.conditions.ready for address in one.addresses}
            write = _witness(records, slice_.metadata.resourceVersion, index)
            for address in sorted(ready & wanted.keys() - told):
                told.add(address)
                if write is not None:
                    yield Hop(write.committed, "controller-manager", f"{wanted[address]}: {address} in slice {name}")


def _is_at(write: Write, at: float) -> bool:
    """Whether a write was at a time that is known in whole seconds."""
    return abs(write.committed - at) <= 2 * ROUNDED


class _Step(NamedTuple):
    """One step in the life of a pod: how a version shows it, who did what, and when by the pod's own account."""

    is_done: Callable[[Pod], bool]
    who: Callable[[Pod], str]
    what: Callable[[Pod], str]
    by_its_own_account: Callable[[Pod], float]
    tells_cause: bool = False


def _running(pod: Pod) -> list[ContainerStatus]:
    return [one for one in pod.status.containerStatuses if one.state.HasField("running")]


def _is_ready(pod: Pod) -> bool:
    return any(one.type == "Ready" and one.status == "True" for one in pod.status.conditions)


def _started(pod: Pod) -> str:
    names = ", ".join(one.name for one in _running(pod))
    return f"{names} started" + (f" at {pod.status.podIP}" if pod.status.podIP else "")


def _started_at(pod: Pod) -> float:
    return max((seconds(one.state.running.startedAt) for one in _running(pod)), default=0.0)


def _condition_time(pod: Pod, type_: str) -> float:
    return max((seconds(one.lastTransitionTime) for one in pod.status.conditions if one.type == type_), default=0.0)


_STEPS: Final = (
    _Step(
        lambda _: True,
        lambda pod: "controller-manager" if pod.metadata.ownerReferences else "API server",
        lambda _: "created",
        lambda pod: seconds(pod.metadata.creationTimestamp),
        tells_cause=True,
    ),
    _Step(
        lambda pod: bool(pod.spec.nodeName),
        lambda _: "scheduler",
        lambda pod: f"bound to {pod.spec.nodeName}",
        lambda pod: _condition_time(pod, "PodScheduled"),
    ),
    _Step(lambda pod: bool(_running(pod)), lambda pod: f"kubelet {pod.spec.nodeName}", _started, _started_at),
    _Step(
        _is_ready,
        lambda pod: f"kubelet {pod.spec.nodeName}",
        lambda _: "Ready",
        lambda pod: _condition_time(pod, "Ready"),
    ),
)


def seconds(time: Time) -> float:
    """A Time as Unix seconds."""
    return time.seconds + time.nanos / 1e9


def _by_name(versions: Iterable[T]) -> dict[str, list[T]]:
    found: dict[str, list[T]] = {}
    for one in versions:
        found.setdefault(one.metadata.name, []).append(one)
    return found
