"""What a cluster says of itself."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from kubewire.cluster import inspection
from kubewire.cluster.api import Unanswered
from kubewire.cluster.home import Home
from kubewire.cluster.inspection import metrics, node, unready_nodes
from kubewire.cluster.nodes.networks import Networks
from kubewire.cluster.nodes.place import Fabric, NodePlace, write_fabric, write_place
from kubewire.cluster.wanted import Settings

HOME = Home("dev", Path("/home/dev"))
SETTINGS = Settings("dev", "containerd", "together", ("node-1", "node-2"), "127.0.0.1:6443", "", "", "")
NOON = 43200.0


def node_object(name: str, ready: str) -> dict[str, object]:
    """A Node as the API's JSON has it."""
    conditions = [{"type": "MemoryPressure", "status": "False"}, {"type": "Ready", "status": ready}]
    addresses = [{"type": "Hostname", "address": name}, {"type": "InternalIP", "address": "10.243.0.11"}]
    status = {"conditions": conditions, "addresses": addresses, "nodeInfo": {"kubeletVersion": "v1.36.2"}}
    return {"metadata": {"name": name}, "spec": {"podCIDR": "10.244.0.0/24"}, "status": status}


def lease(name: str, time: str) -> dict[str, object]:
    """A node's heartbeat."""
    return {"metadata": {"name": name}, "spec": {"renewTime": f"1970-01-01T{time}.000000Z"}}


class Answers:
    """Fills `Api` with nodes and leases."""

    nodes: tuple[dict[str, object], ...] = ()
    leases: tuple[dict[str, object], ...] = ()

    def __init__(self, *_: object) -> None:
        pass

    def objects(self, path: str) -> list[dict[str, object]]:
        if not self.nodes:
            raise Unanswered("nobody there")
        return list(self.leases if path.endswith("leases") else self.nodes)


def test_a_node_is_told_in_short() -> None:
    """Whether it is ready, where it is, and which addresses its pods have."""
    name, health = node(node_object("node-1", "True"))
    assert name == "node-1"
    assert health == inspection.NodeHealth(
        is_ready=True, addresses=("10.243.0.11",), pod_cidr="10.244.0.0/24", version="v1.36.2"
    )
    assert not node(node_object("node-1", "Unknown"))[1].is_ready


def test_metrics_of_nodes_are_told(tmp_path: Path) -> None:
    """Those of every node that has a network of its own, beside those of the control plane."""
    home = Home("dev", tmp_path)
    settings = replace(SETTINGS, metrics={"scheduler": "127.0.0.1:10259"})
    fabric = Fabric(home, Networks(IPv4Network("10.243.0.0/24"), IPv4Network("10.244.0.0/16")), 1500)
    write_fabric(fabric)
    write_place(NodePlace(fabric, "node-2", 2))
    assert metrics(home, settings) == {
        "scheduler": "127.0.0.1:10259",
        "node-2/kubelet": "10.243.0.12:10250",
        "node-2/kube-proxy": "10.243.0.12:10249",
    }
    assert metrics(home, replace(settings, runtime="simulated")) == settings.metrics


def test_only_heartbeats_of_this_life_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """A node that was ready before its cluster ended is not taken for ready before its kubelet has told so again."""
    monkeypatch.setattr(inspection, "Api", Answers)
    both = {"node-1": NOON, "node-2": NOON}
    assert unready_nodes(HOME, SETTINGS, both) == ["node-1", "node-2"]
    monkeypatch.setattr(Answers, "nodes", (node_object("node-1", "True"), node_object("node-2", "True")))
    monkeypatch.setattr(Answers, "leases", (lease("node-1", "12:00:01"), lease("node-2", "11:59:59")))
    assert unready_nodes(HOME, SETTINGS, both) == ["node-2"]
    assert unready_nodes(HOME, SETTINGS, {**both, "node-2": 0.0}) == []
    monkeypatch.setattr(Answers, "nodes", (node_object("node-1", "False"),))
    assert unready_nodes(HOME, SETTINGS, {}) == ["node-1", "node-2"]
