"""Clusters whose nodes run containers: the main job, what is killed meanwhile, and that nothing of it is left.

They need root, containerd, runc, the CNI plugins and nftables, and fail where those are missing.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.cluster_commands import BIN, Cluster, eventually, is_alive, remains, without
from tests.e2e.cluster.web import await_all_answer, await_ready, containers, pages, pods, run_web


def test_main_job_and_nothing_left(containers_cluster: Cluster) -> None:
    """Three replicas come up in containers and answer through the Service, each hop is told; `down` leaves nothing."""
    cluster = containers_cluster
    cluster.up()
    run_web(cluster)
    await_all_answer(cluster, "node-1")
    story = cluster.run("trace", "web").stdout
    for told in ("accepted", "committed as version", "created, because of ReplicaSet/default/web", "bound to node-1"):
        assert told in story, story
    for told in ("web started at 10.", ": Ready", "in slice web-", "kube-proxy node-1"):
        assert told in story, story
    assert cluster.run("down").returncode == 0
    assert remains(cluster) == []


def test_up_again_goes_on_with_what_was(containers_cluster: Cluster) -> None:
    """After `down` without `--purge`, the next `up` runs the same pods' replacements without being told again."""
    cluster = containers_cluster
    cluster.up()
    run_web(cluster)
    cluster.run("down")
    cluster.up()
    await_ready(cluster)
    eventually(lambda: pages(cluster) <= pods(cluster), "only pods that are there answer")


@pytest.mark.parametrize("processes", ["together", "apart"])
def test_killed_processes_come_back_and_containers_run_on(containers_cluster: Cluster, processes: str) -> None:
    """SIGKILL of each process in turn: it is started again, and every container is the one it was."""
    cluster = containers_cluster
    cluster.up(f"--processes={processes}")
    run_web(cluster)
    before = containers(cluster)
    for name, pid in without(cluster.pids(), "supervisor").items():
        os.kill(pid, signal.SIGKILL)
        eventually(lambda name=name, pid=pid: cluster.pid(name) not in (0, pid), f"{name} was started again")  # type: ignore[misc]  # a lambda's defaults
        eventually(lambda: cluster.run("status").returncode == 0, "ready again")
    await_ready(cluster)
    time.sleep(2)
    assert containers(cluster) == before


def test_two_nodes_share_the_work(containers_cluster: Cluster) -> None:
    """Pods are on both nodes, and every node reaches all of them through the Service."""
    cluster = containers_cluster
    cluster.up("--nodes=2")
    run_web(cluster)
    shape = "jsonpath={.items[*].spec.nodeName}"
    assert set(cluster.kubectl("get", "pods", "-l", "app=web", "-o", shape).split()) == {"node-1", "node-2"}
    for node in ("node-1", "node-2"):
        await_all_answer(cluster, node)


def test_interrupted_up_is_removed_by_down(containers_cluster: Cluster) -> None:
    """Whatever an `up` that was killed has made, `down` finds and takes away."""
    cluster = containers_cluster
    for seconds in (0.3, 0.8, 1.5):
        started = subprocess.Popen(
            [BIN / "kubewire", "up", f"--name={cluster.name}", "--runtime=containerd"],
            env=cluster.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(seconds)
        started.kill()
        started.wait()
        assert cluster.run("down").returncode == 0
        assert remains(cluster) == []


def test_simulated_nodes_run_nothing(tmp_path: Path) -> None:
    """With simulated nodes pods become Ready although nothing runs, and the machine's network is left alone."""
    cluster = Cluster(tmp_path / "home", runtime="simulated")
    try:
        cluster.up("--nodes=2")
        run_web(cluster)
        assert not (cluster.home / "fabric.json").exists()
    finally:
        pids = cluster.pids()
        cluster.run("down", "--purge")
    assert [pid for pid in pids.values() if is_alive(pid)] == []
