"""The links between components: what each does without the others, and that it goes on when they are back."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

from kubewire.cluster.nodes import names
from tests.cluster_commands import Cluster, eventually
from tests.e2e.cluster.web import EXAMPLES, await_all_answer, await_ready, containers, pages, pods, run_web


def test_chain_link_by_link(containers_cluster: Cluster) -> None:
    """A ReplicaSet is a record and no more; its pods are Pending; they are assigned and nothing runs; they run.

    Each as long as the controller-manager, the scheduler or the kubelet is stopped.
    """
    cluster = containers_cluster
    cluster.up("--processes=apart")
    for role in ("controller-manager", "scheduler", "kubelet"):
        assert cluster.run("stop", role).returncode == 0
    cluster.kubectl("apply", "-f", str(EXAMPLES / "replicaset.yaml"))
    time.sleep(2)
    assert pods(cluster) == set()
    cluster.run("start", "controller-manager")
    eventually(lambda: len(pods(cluster)) == 3, "pods were created")
    time.sleep(1)
    facts = "jsonpath={range .items[*]}{.status.phase}/{.spec.nodeName} {end}"
    assert cluster.kubectl("get", "pods", "-o", facts).split() == ["Pending/"] * 3
    cluster.run("start", "scheduler")
    eventually(lambda: cluster.kubectl("get", "pods", "-o", facts).split() == ["Pending/node-1"] * 3, "they are bound")
    time.sleep(1)
    assert containers(cluster) == set()
    cluster.run("start", "kubelet")
    await_ready(cluster)


def test_etcd_that_does_not_answer(containers_cluster: Cluster) -> None:
    """While etcd cannot commit, writes are refused and pods run on; afterwards all is as it was."""
    cluster = containers_cluster
    cluster.up()
    run_web(cluster)
    before = containers(cluster)
    address = cluster.kubectl("get", "service", "web", "-o", "jsonpath={.spec.clusterIP}")
    os.kill(cluster.pid("etcd"), signal.SIGSTOP)
    try:
        refused = cluster.run("create", "configmap", "x", "--request-timeout=5s", program="kubectl")
        assert refused.returncode != 0
        fetched = cluster.run("enter", "busybox", "wget", "-qO-", f"http://{address}/")
        assert fetched.stdout.startswith("Hello from web-")
        eventually(lambda: cluster.run("status").returncode == 4, "status says that it is not ready")
    finally:
        os.kill(cluster.pid("etcd"), signal.SIGCONT)
    eventually(lambda: cluster.run("create", "configmap", "y", program="kubectl").returncode == 0, "writes work again")
    await_ready(cluster)
    assert containers(cluster) == before


def test_node_that_is_cut_off(containers_cluster: Cluster) -> None:
    """Its kubelet goes on by itself, the cluster takes its pods out of the Service; back again, all is reconciled."""
    cluster = containers_cluster
    cluster.up("--nodes=2")
    run_web(cluster)
    facts = "jsonpath={range .items[?(@.spec.nodeName=='node-2')]}{.metadata.name} {end}"
    cut_off = set(cluster.kubectl("get", "pods", "-o", facts).split())
    assert cut_off
    assert cut_off != pods(cluster)
    _set_link(cluster, "down")
    victim = _servers_on(cluster, "node-2")[0]
    os.kill(victim, signal.SIGKILL)
    ended = "jsonpath={.items[?(@.metadata.name=='node-2')].status.conditions[?(@.type=='Ready')].status}"
    eventually(lambda: cluster.kubectl("get", "nodes", "-o", ended) == "Unknown", "node-2 is NotReady")
    eventually(lambda: pages(cluster) == pods(cluster) - cut_off, "its pods are out of the Service")
    assert victim not in _servers_on(cluster, "node-2")
    assert len(_servers_on(cluster, "node-2")) == len(cut_off), "the kubelet has started a container again by itself"
    _set_link(cluster, "up")
    await_ready(cluster)
    await_all_answer(cluster, "node-1")
    assert sum(one.endswith("=1") for one in containers(cluster)) == 1


def _set_link(cluster: Cluster, state: str) -> None:
    """Pull node-2's cable out of the bridge, or put it back."""
    fabric = names.fabric_namespace(cluster.name)
    subprocess.run(["ip", "-netns", fabric, "link", "set", "node2", state], check=True, timeout=10)


def _servers_on(cluster: Cluster, node: str) -> list[int]:
    """The web servers that run in containers of a node, by the cgroups they are in."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            is_here = names.node_cgroup(cluster.name, node) in (process / "cgroup").read_text()
            if is_here and (process / "cmdline").read_bytes().startswith(b"httpd"):
                found.append(int(process.name))
        except (OSError, ValueError):
            continue
    return sorted(found)
