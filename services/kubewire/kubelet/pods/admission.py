"""Whether the node takes a pod that was bound to it: the checks of `table`, in order. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from kubewire.api.core.v1.node_pb2 import Node
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.api.core.v1.scheduling_pb2 import NodeSelectorTerm
from kubewire.kubelet.pods.memory import Trouble
from kubewire.machinery.quantity import milli_value_of, value_of

_COMPUTE: Final = ("cpu", "memory", "ephemeral-storage")


HostPort = tuple[int, str, str]
"""Port, protocol and address."""


class Ledger:
    """What the pods that were taken have of the node. Adding up is done once a pod: nodes may hold thousands.

    Attributes:
        totals: what they request.
        ports: the host ports they have, by pod.
    """

    def __init__(self) -> None:
        self.totals: dict[str, int] = {}
        self.ports: dict[str, Sequence[HostPort]] = {}
        self._requests: dict[str, Mapping[str, int]] = {}

    def __len__(self) -> int:
        return len(self._requests)

    def take(self, pod: Pod) -> None:
        """A pod was taken."""
        uid = pod.metadata.uid
        self._requests[uid] = requests = requests_of(pod)
        for name, amount in requests.items():
            self.totals[name] = self.totals.get(name, 0) + amount
        ports = _host_ports(pod)
        if ports:
            self.ports[uid] = ports

    def release(self, uid: str) -> None:
        """A pod needs nothing any more; saying so twice is harmless."""
        self.ports.pop(uid, None)
        for name, amount in self._requests.pop(uid, {}).items():
            self.totals[name] -= amount


class Applicant(NamedTuple):
    """A pod that asks to be taken, what the pods have that were, and the node."""

    pod: Pod
    others: Ledger
    node: Node
    allocatable: Mapping[str, int]
    """CPU in thousandths, everything else in whole units; `pods` is how many may be here."""


Check = Callable[[Applicant], Trouble | None]
"""Why the node cannot take a pod; None if it can."""


def admit(applicant: Applicant, checks: Iterable[Check]) -> Trouble | None:
    """Why the node does not take the pod, by the first check that refuses it."""
    for check in checks:
        trouble = check(applicant)
        if trouble is not None:
            return Trouble(trouble.reason, f"Pod was rejected: {trouble.message}")
    return None


def runs_linux(applicant: Applicant) -> Trouble | None:
    """Containers for another operating system do not run here."""
    if applicant.pod.spec.os.name in {"", "linux"}:
        return None
    return Trouble("PodOSNotSupported", "Failed to admit pod as the OS field doesn't match node OS")


def matches_node(applicant: Applicant) -> Trouble | None:
    """Its node selector and required node affinity fit the node's labels as they are now."""
    spec, labels = applicant.pod.spec, applicant.node.metadata.labels
    fits = all(labels.get(name) == value for name, value in spec.nodeSelector.items())
    affinity = spec.affinity.nodeAffinity
    if fits and affinity.HasField("requiredDuringSchedulingIgnoredDuringExecution"):
        terms = affinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms
        fits = any(_term_fits(term, applicant.node) for term in terms)
    if fits:
        return None
    return Trouble("NodeAffinity", "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector")


def tolerates_node(applicant: Applicant) -> Trouble | None:
    """It tolerates the taints that would have it end at once."""
    for taint in applicant.node.spec.taints:
        if taint.effect == "NoExecute" and not any(
            _tolerates(one.key, one.operator, one.value, one.effect, (taint.key, taint.value))
            for one in applicant.pod.spec.tolerations
        ):
            message = (
                f"Predicate TaintToleration failed: node(s) had untolerated taint(s) {{{taint.key}: {taint.value}}}"
            )
            return Trouble("TaintToleration", message)
    return None


def has_free_ports(applicant: Applicant) -> Trouble | None:
    """No other pod has its host ports."""
    wanted = _host_ports(applicant.pod)
    taken = [port for ports in applicant.others.ports.values() for port in ports] if wanted else []
    for port, protocol, ip in wanted:
        clashes = any((port, protocol) == (one[0], one[1]) and _same_ip(ip, one[2]) for one in taken)
        if clashes:
            message = "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports"
            return Trouble("NodePorts", message)
    return None


def has_room(applicant: Applicant) -> Trouble | None:
    """What it requests is still there."""
    allocatable, others = applicant.allocatable, applicant.others
    if len(others) + 1 > allocatable.get("pods", 0):
        used, capacity = len(others), allocatable.get("pods", 0)
        return _out_of("pods", 1, used, capacity)
    for name, requested in requests_of(applicant.pod).items():
        used = others.totals.get(name, 0)
        capacity = allocatable.get(name, 0)
        if requested and used + requested > capacity:
            return _out_of(name, requested, used, capacity)
    return None


def requests_of(pod: Pod) -> Mapping[str, int]:
    """What a pod asks for at most at any time: sidecars and main containers together, or an init container before."""
    total: dict[str, int] = {}
    first: dict[str, int] = {}
    for container in pod.spec.initContainers:
        own = _amounts(container.resources.requests)
        if container.restartPolicy == "Always":
            total = _sum(total, own)
            own = total
        else:
            own = _sum(total, own)
        first = {name: max(first.get(name, 0), own.get(name, 0)) for name in {*first, *own}}
    for main in pod.spec.containers:
        total = _sum(total, _amounts(main.resources.requests))
    found = {name: max(total.get(name, 0), first.get(name, 0)) for name in {*total, *first}}
    return _sum(found, _amounts(pod.spec.overhead))


def _amounts(quantities: Mapping[str, object]) -> dict[str, int]:
    return {
        name: (milli_value_of if name == "cpu" else value_of)(quantity.string)  # type: ignore[attr-defined]
        for name, quantity in quantities.items()
    }


def _sum(left: Mapping[str, int], right: Mapping[str, int]) -> dict[str, int]:
    return {name: left.get(name, 0) + right.get(name, 0) for name in {*left, *right}}


def _out_of(name: str, requested: int, used: int, capacity: int) -> Trouble:
    message = f"Node didn't have enough resource: {name}, requested: {requested}, used: {used}, capacity: {capacity}"
    return Trouble(f"OutOf{name}", message)


def _host_ports(pod: Pod) -> list[HostPort]:
    return [
        (port.hostPort, port.protocol or "TCP", port.hostIP or "0.0.0.0")  # noqa: S104 - what is said, not listened on
        for container in (*pod.spec.containers, *pod.spec.initContainers)
        for port in container.ports
        if port.hostPort
    ]


def _same_ip(one: str, other: str) -> bool:
    return one == other or "0.0.0.0" in {one, other}  # noqa: S104 - what is said, not listened on


def _tolerates(key: str, operator: str, value: str, effect: str, taint: tuple[str, str]) -> bool:
    if effect and effect != "NoExecute":
        return False
    if not key:
        return operator == "Exists"
    return key == taint[0] and (operator == "Exists" or value == taint[1])


def _term_fits(term: NodeSelectorTerm, node: Node) -> bool:
    """All expressions hold; an empty term fits nothing."""
    if not term.matchExpressions and not term.matchFields:
        return False
    labels = node.metadata.labels
    fields = {"metadata.name": node.metadata.name}
    return all(_holds(one.operator, one.values, labels.get(one.key)) for one in term.matchExpressions) and all(
        _holds(one.operator, one.values, fields.get(one.key)) for one in term.matchFields
    )


def _holds(operator: str, values: Sequence[str], value: str | None) -> bool:
    match operator:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
    try:
        mine, theirs = int(value or ""), int(values[0])
    except (ValueError, IndexError):
        return False
    return mine > theirs if operator == "Gt" else mine < theirs
