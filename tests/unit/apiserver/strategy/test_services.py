"""What was allocated to a Service stays with it as long as its type has a use for it."""

import pytest

from kubewire.machinery.json_value import JsonObject
from tests.unit.apiserver.strategy.writes import at, created, updated
from tests.unit.apiserver.validation.objects import Change, merged

SERVICE = "v1 Service"
PORT: JsonObject = {"name": "a", "protocol": "TCP", "port": 80, "targetPort": 80, "nodePort": 30000}
BALANCED: JsonObject = {
    "type": "LoadBalancer",
    "clusterIP": "10.0.0.1",
    "clusterIPs": ["10.0.0.1"],
    "ipFamilies": ["IPv4"],
    "ipFamilyPolicy": "SingleStack",
    "externalTrafficPolicy": "Local",
    "healthCheckNodePort": 31000,
    "loadBalancerClass": "a/b",
    "allocateLoadBalancerNodePorts": True,
    "ports": [PORT],
}


def test_one_address_is_a_list_of_one() -> None:
    """A new Service may name its address the old way."""
    assert at(created(SERVICE, {"spec": {"clusterIP": "None"}}), "spec.clusterIPs") == ["None"]


@pytest.mark.parametrize(
    ("change", "path", "expected"),
    [
        # left out, kept
        ({"clusterIP": None, "clusterIPs": None}, "clusterIP", "10.0.0.1"),
        ({"clusterIP": None, "clusterIPs": None}, "clusterIPs", ["10.0.0.1"]),
        ({"ports": [merged(PORT, {"nodePort": None})]}, "ports.0.nodePort", 30000),
        ({"ports": [merged(PORT, {"nodePort": None, "protocol": "UDP"})]}, "ports.0.nodePort", None),
        ({"healthCheckNodePort": None}, "healthCheckNodePort", 31000),
        # the first of two ports is renumbered to the second's, which is asked for elsewhere
        ({"ports": [merged(PORT, {"nodePort": None}), {**PORT, "name": "b", "port": 81}]}, "ports.0.nodePort", None),
        # changed with the address
        ({"clusterIP": "10.0.0.2"}, "clusterIPs", ["10.0.0.2"]),
        ({"clusterIP": ""}, "clusterIPs", ["10.0.0.1"]),
        # of no use to another type
        ({"type": "ClusterIP"}, "ports.0.nodePort", None),
        ({"type": "ClusterIP"}, "externalTrafficPolicy", None),
        ({"type": "ClusterIP"}, "healthCheckNodePort", None),
        ({"type": "ClusterIP"}, "loadBalancerClass", None),
        ({"type": "ClusterIP"}, "allocateLoadBalancerNodePorts", None),
        ({"type": "ClusterIP"}, "clusterIP", "10.0.0.1"),
        ({"type": "NodePort"}, "ports.0.nodePort", 30000),
        ({"type": "NodePort"}, "externalTrafficPolicy", "Local"),
        ({"type": "ExternalName"}, "clusterIP", None),
        ({"type": "ExternalName"}, "clusterIPs", None),
        ({"type": "ExternalName"}, "ipFamilies", None),
        ({"type": "ExternalName"}, "ipFamilyPolicy", None),
        # of no use, but asked for: left for validation to refuse
        ({"type": "ClusterIP", "loadBalancerClass": "a/c"}, "loadBalancerClass", "a/c"),
        ({"type": "ClusterIP", "ports": [{**PORT, "nodePort": 30001}]}, "ports.0.nodePort", 30001),
    ],
)
def test_updates(change: Change, path: str, expected: object) -> None:
    """Left out is kept; useless is dropped; asked for is respected."""
    old = created(SERVICE, {"spec": BALANCED})
    assert at(updated(SERVICE, old, {"spec": change}), f"spec.{path}") == expected


def test_services_have_no_generation() -> None:
    """Nor do changes give them one."""
    old = created(SERVICE, {"spec": BALANCED})
    assert at(updated(SERVICE, old, {"spec": {"type": "NodePort"}}), "metadata.generation") is None
