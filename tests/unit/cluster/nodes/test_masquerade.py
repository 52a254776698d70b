"""Which packets of pods leave a node under its own address."""

from kubewire.cluster.nodes.masquerade import rules
from tests.unit.cluster.nodes.places import fabric


def test_rules() -> None:
    """Pods and nodes of the cluster see a pod's own address; the host and the world see the node's."""
    lines = [line.strip() for line in rules(fabric()).splitlines()]
    assert lines[-6:-2] == [
        "ip saddr != 10.244.0.0/16 return",
        "ip daddr 10.244.0.0/16 return",
        "ip daddr 10.243.0.0/24 ip daddr != 10.243.0.1 return",
        "masquerade",
    ]
