"""What runs on each node."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path

from kubewire.cluster import agents
from kubewire.cluster.home import Home
from kubewire.cluster.hosting.host import sections
from kubewire.cluster.nodes.networks import Networks
from kubewire.cluster.nodes.place import Fabric, NodePlace
from kubewire.cluster.wanted import Settings

HOME = Home("dev", Path("/home/dev"))
NETWORKS = Networks(IPv4Network("10.243.0.0/24"), IPv4Network("10.244.0.0/16"))
PLACE = NodePlace(Fabric(HOME, NETWORKS, 1500), "node-1", 1)
SETTINGS = Settings(
    "dev", "containerd", "together", ("node-1",), "127.0.0.1:6443", "127.0.0.1:6444", "", "",
    host_address="10.243.0.1", pod_addresses="10.244.0.0/16",
)  # fmt: skip


def enter(namespace: str) -> list[str]:
    """The words that lead into a node."""
    return ["nsenter", namespace]


def test_a_node_s_agents_share_a_process_inside_it() -> None:
    """Kubelet and proxy run in the node's network, and reach the API server at the host's address there."""
    [agent] = agents.on_containerd(HOME, SETTINGS, [PLACE], enter)
    assert agent.name == "node-1/agent"
    assert agent.command[:2] == ("nsenter", "kubewire-dev.node-1")
    kubelet, proxy = sections(agent.command[5:])
    for one in (kubelet, proxy):
        assert "--apiserver=10.243.0.1:6444" in one.flags
    assert {"--node-name=node-1", "--node-ip=10.243.0.11", "--cgroup-root=/kubewire/dev/node-1"} <= set(kubelet.flags)
    assert "--cluster-cidr=10.244.0.0/16" in proxy.flags


def test_each_is_known_as_itself() -> None:
    """A node has an identity of its own; proxies share theirs."""
    apart = replace(SETTINGS, processes="apart")
    kubelet, proxy = agents.on_containerd(HOME, apart, [PLACE], enter)
    assert (kubelet.name, proxy.name) == ("node-1/kubelet", "node-1/kube-proxy")
    assert "--token-file=/home/dev/pki/kubelet-node-1.token" in kubelet.command
    assert "--token-file=/home/dev/pki/kube-proxy.token" in proxy.command


def test_kubelets_serve_those_alone_whom_the_cluster_knows() -> None:
    """A kubelet is reached from pods too: its port asks for a certificate of the cluster."""
    [agent] = agents.on_containerd(HOME, SETTINGS, [PLACE], enter)
    flags = sections(agent.command[5:])[0].flags
    assert "--client-ca-file=/home/dev/pki/ca.crt" in flags
    assert "--serving-cert-file=/home/dev/pki/kubelet-node-1.crt" in flags


def test_metrics_are_where_status_says() -> None:
    """They can be read from outside the node; a proxy's own service cannot."""
    [agent] = agents.on_containerd(HOME, SETTINGS, [PLACE], enter)
    kubelet, proxy = sections(agent.command[5:])
    assert agents.metrics(PLACE) == {"kubelet": "10.243.0.11:10250", "kube-proxy": "10.243.0.11:10249"}
    assert {"--bind-address=10.243.0.11", "--metrics-port=10250"} <= set(kubelet.flags)
    assert {"--metrics-bind-address=10.243.0.11", "--metrics-port=10249"} <= set(proxy.flags)
    assert not any(flag.startswith("--bind-address") for flag in proxy.flags)


def test_simulated_nodes_need_no_machine() -> None:
    """Their kubelets run on the host, all in one process or each in its own."""
    settings = replace(SETTINGS, runtime="simulated", nodes=("node-1", "node-2"), host_address="")
    [together] = agents.simulated(HOME, settings)
    assert [one.name for one in sections(together.command[3:])] == ["kubelet", "kubelet"]
    apart = agents.simulated(HOME, replace(settings, processes="apart"))
    assert [one.name for one in apart] == ["node-1/kubelet", "node-2/kubelet"]
    assert all("--runtime=simulated" in one.command for one in apart)
