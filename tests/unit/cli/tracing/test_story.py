"""The hops of a change, from what servers remember."""

from __future__ import annotations

from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.api.discovery.v1.endpoint_slice_pb2 import EndpointSlice
from kubewire.cli.tracing.report import lines
from kubewire.cli.tracing.story import Hop, Seen, Write, story

NOON = 43200.0
SETS, PODS, SLICES = "replicasets.apps", "pods", "endpointslices.discovery.k8s.io"


def write(version: int, committed: float, manager: str = "m", cause: str = "", verb: str = "update") -> Write:
    """A record of the write that made a version."""
    return Write(str(version), verb, "admin", manager, cause, NOON + committed - 0.002, NOON + committed)


def pod(version: int, *, node: str = "", running: bool = False, ready: bool = False) -> Pod:
    """A version of the one replica."""
    made = Pod()
    made.metadata.name, made.metadata.resourceVersion = "web-1", str(version)
    made.metadata.creationTimestamp.seconds = int(NOON)
    made.metadata.ownerReferences.add(uid="u")
    made.spec.nodeName = node
    if node:
        made.status.conditions.add(type="PodScheduled", status="True").lastTransitionTime.seconds = int(NOON)
    if running:
        made.status.podIP = "10.244.0.2"
        container = made.status.containerStatuses.add(name="web")
        container.state.running.startedAt.seconds = int(NOON) + 1
    if ready:
        made.status.conditions.add(type="Ready", status="True").lastTransitionTime.seconds = int(NOON) + 2
    return made


def slice_(version: int, address: str) -> EndpointSlice:
    """A version of the Service's slice."""
    made = EndpointSlice()
    made.metadata.name, made.metadata.resourceVersion = "web-x", str(version)
    made.endpoints.add(addresses=[address]).conditions.ready = True
    return made


VERSIONS = [pod(11), pod(12, node="n"), pod(13, node="n", running=True), pod(14, node="n", running=True, ready=True)]


def test_every_hop_is_told_in_order() -> None:
    """From the accepted request to the programmed kernel, each by who did it, with the time of its commit."""
    records = {
        (SETS, "web"): {"10": write(10, 0.002, "kubectl", verb="create"), "15": write(15, 3.0)},
        (PODS, "web-1"): {
            "11": write(11, 0.010, cause="ReplicaSet/default/web@10", verb="create"),
            "12": write(12, 0.020),
            "13": write(13, 0.300),
            "14": write(14, 1.300),
        },
        (SLICES, "web-x"): {"16": write(16, 1.310, verb="create")},
    }
    seen = Seen(SETS, "web", NOON, VERSIONS, [slice_(16, "10.244.0.2")], records, {"n": NOON + 1.32})
    assert [(round((hop.at - NOON) * 1000), hop.who, hop.what) for hop in story(seen)] == [
        (0, "API server", "request of admin (kubectl) accepted"),
        (2, "etcd", "replicasets.apps/web committed as version 10"),
        (10, "controller-manager", "web-1: created, because of ReplicaSet/default/web@10"),
        (20, "scheduler", "web-1: bound to n"),
        (300, "kubelet n", "web-1: web started at 10.244.0.2"),
        (1300, "kubelet n", "web-1: Ready"),
        (1310, "controller-manager", "web-1: 10.244.0.2 in slice web-x"),
        (1320, "kube-proxy n", "programmed"),
    ]
    assert all(hop.is_exact for hop in story(seen))


def test_without_history_objects_speak_for_themselves() -> None:
    """When records and versions are gone, the times in the objects are told, and marked as whole seconds."""
    hops = story(Seen(SETS, "web", NOON, VERSIONS[-1:]))
    assert [(hop.at - NOON, hop.who, hop.is_exact) for hop in hops] == [
        (0.0, "API server", False),
        (0.0, "controller-manager", False),
        (0.0, "scheduler", False),
        (1.0, "kubelet n", False),
        (2.0, "kubelet n", False),
    ]


def test_what_was_so_already_is_not_the_later_write_of_somebody_else() -> None:
    """A server that was started anew knows of later writes; they did not bind the pod or make it ready."""
    records = {(PODS, "web-1"): {"13": write(13, 600.0), "14": write(14, 601.0)}}
    seen = Seen(SETS, "web", NOON, VERSIONS[2:], records=records)
    assert [(hop.at - NOON, hop.what, hop.is_exact) for hop in story(seen)[1:]] == [
        (0.0, "web-1: created", False),
        (0.0, "web-1: bound to n", False),
        (1.0, "web-1: web started at 10.244.0.2", False),
        (601.0, "web-1: Ready", True),
    ]


def test_a_later_write_is_not_taken_for_the_creation() -> None:
    """A server that remembers only later writes does not claim that the object was created then."""
    seen = Seen(SETS, "web", NOON, records={(SETS, "web"): {"90": write(90, 600.0, "kubectl")}})
    assert [(hop.at, hop.is_exact) for hop in story(seen)] == [(NOON, False)]


def test_what_has_not_happened_is_not_told() -> None:
    """A pod that no node has taken has been created, and that is all; an old round of the proxy says nothing of it."""
    seen = Seen(SETS, "web", NOON, VERSIONS[:1], proxies={"n": NOON - 50})
    assert [hop.who for hop in story(seen)] == ["API server", "controller-manager"]


def test_lines_count_from_the_first_hop() -> None:
    """Milliseconds since the beginning; `~` where only the second is known."""
    printed = list(
        lines([Hop(NOON, "etcd", "a"), Hop(NOON + 0.0125, "scheduler", "b"), Hop(NOON + 2, "k", "c", is_exact=False)])
    )
    assert [line.split() for line in printed[1:]] == [
        ["0.0", "etcd", "a"],
        ["12.5", "scheduler", "b"],
        ["~2000", "k", "c"],
    ]
    assert list(lines([])) == []
