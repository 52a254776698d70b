"""A node's status from what was read of it."""

import pytest

from kubewire.api.core.v1.node_pb2 import Node, NodeCondition, NodeStatus
from kubewire.kubelet.config import KubeletConfig
from kubewire.kubelet.node.machine import Machine, Room
from kubewire.kubelet.node.status import NodePicture, allocatable, is_news, merged, node_status
from kubewire.kubelet.runtime.contracts import Condition, Image, Version

GIB = 1 << 30
MACHINE = Machine(4, 8 * GIB, "machine", "system", "boot", "6.1.0", "Debian", "amd64")
WELL = (Condition("RuntimeReady", status=True), Condition("NetworkReady", status=True))
IMAGES = [Image(str(size), (f"app:{size}",), (f"app@sha256:{size}",), size) for size in range(60)]


def status(
    *, room: Room | None = None, conditions: tuple[Condition, ...] = WELL, failure: str = "", **settings: object
) -> NodeStatus:
    """The status of a node that is well but for what is said."""
    picture = NodePicture(
        MACHINE,
        room or Room(4 * GIB, 50 * GIB, 100 * GIB, 100, 32768),
        Version("containerd", "1.6.20"),
        conditions,
        IMAGES,
        failure,
        "n1",
        "192.0.2.1",
        10350,
    )
    return node_status(KubeletConfig(**settings), picture)  # type: ignore[arg-type]  # as tests set them


def said(found: NodeStatus) -> dict[str, str]:
    """Conditions by type."""
    return {one.type: f"{one.status} {one.reason}" for one in found.conditions}


def test_a_node_that_is_well_is_ready() -> None:
    """And under no pressure; Ready is told last."""
    assert said(status()) == {
        "MemoryPressure": "False KubeletHasSufficientMemory",
        "DiskPressure": "False KubeletHasNoDiskPressure",
        "PIDPressure": "False KubeletHasSufficientPID",
        "Ready": "True KubeletReady",
    }


@pytest.mark.parametrize(
    ("room", "condition", "reason"),
    [
        (Room(50 << 20, 50 * GIB, 100 * GIB, 1, 32768), "MemoryPressure", "KubeletHasInsufficientMemory"),
        (Room(4 * GIB, 9 * GIB, 100 * GIB, 1, 32768), "DiskPressure", "KubeletHasInsufficientDisk"),
        (Room(4 * GIB, 50 * GIB, 100 * GIB, 32000, 32768), "PIDPressure", "KubeletHasInsufficientPID"),
    ],
)
def test_what_runs_short_is_pressure(room: Room, condition: str, reason: str) -> None:
    """Each by itself; the node is ready all the same."""
    found = said(status(room=room))
    assert found[condition] == f"True {reason}"
    assert found["Ready"] == "True KubeletReady"


def test_a_node_without_network_or_runtime_is_not_ready() -> None:
    """And says what is missing, in the runtime's words."""
    without = (WELL[0], Condition("NetworkReady", False, "NetworkPluginNotReady", "cni plugin not initialized"))
    ready = status(conditions=without).conditions[-1]
    assert (ready.status, ready.reason) == ("False", "KubeletNotReady")
    assert ready.message == (
        "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady "
        "message:cni plugin not initialized"
    )
    down = status(conditions=(), failure="no socket").conditions[-1]
    assert down.message == "container runtime is down: no socket"


def test_what_is_kept_is_not_for_pods() -> None:
    """Reserved amounts and the margins of eviction."""
    config = KubeletConfig(system_reserved_cpu="500m", system_reserved_memory="1Gi", max_pods=20)
    assert allocatable(config, MACHINE, 100 * GIB) == {
        "cpu": 3500,
        "memory": 7 * GIB - (100 << 20),
        "ephemeral-storage": 90 * GIB,
        "pods": 20,
    }
    found = status(system_reserved_cpu="500m")
    assert (found.capacity["cpu"].string, found.allocatable["cpu"].string) == ("4", "3500m")
    assert found.capacity["memory"].string == "8388608Ki"


def test_the_node_says_where_and_what_it_is() -> None:
    """Addresses, the port, versions, and its largest images."""
    found = status()
    assert [(one.type, one.address) for one in found.addresses] == [("InternalIP", "192.0.2.1"), ("Hostname", "n1")]
    assert found.daemonEndpoints.kubeletEndpoint.Port == 10350
    assert found.nodeInfo.containerRuntimeVersion == "containerd://1.6.20"
    assert found.nodeInfo.kubeletVersion.startswith("v1.36.")
    assert len(found.images) == 50
    assert list(found.images[0].names) == ["app@sha256:59", "app:59"]


def test_heartbeats_are_no_news() -> None:
    """A turned condition is; when it turned stays until it turns."""
    node = Node()
    node.status.CopyFrom(merged(node, status(), 1000.0))
    later = merged(node, status(), 2000.0)
    assert not is_news(node.status, later)
    assert {one.lastHeartbeatTime.seconds for one in later.conditions} == {2000}
    assert {one.lastTransitionTime.seconds for one in later.conditions} == {1000}
    worse = merged(node, status(failure="no socket", conditions=()), 3000.0)
    assert is_news(node.status, worse)
    assert [one.lastTransitionTime.seconds for one in worse.conditions] == [1000, 1000, 1000, 3000]


def test_what_others_say_of_the_node_stays() -> None:
    """Their conditions, and fields that are none of ours."""
    node = Node()
    node.status.conditions.append(NodeCondition(type="NetworkUnavailable", status="False"))
    node.status.volumesInUse.append("csi/v1")
    found = merged(node, status(), 1000.0)
    assert [one.type for one in found.conditions][-1] == "NetworkUnavailable"
    assert list(found.volumesInUse) == ["csi/v1"]
    again = Node(status=found)
    assert merged(again, status(), 1000.0) == found
