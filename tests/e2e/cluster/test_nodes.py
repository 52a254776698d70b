"""Clusters whose nodes run containers: the main job, what is killed meanwhile, and that nothing of it is left.

They need root, containerd, runc, the CNI plugins and nftables, and fail where those are missing.
"""

from __future__ import annotations

import itertools
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubewire.cluster.home import Home
from kubewire.cluster.nodes.leftovers import leftovers
from kubewire.cluster.processes import strays
from tests.cluster_commands import Cluster, eventually, is_alive, without

EXAMPLES = Path(__file__).parents[3] / "examples"
_numbers = itertools.count(1)


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster that does not run yet; ended afterwards, with nothing left of it."""
    home = tmp_path_factory.mktemp("kw") / "home"
    made = Cluster(home, f"e2e-{os.getpid()}-{next(_numbers)}", "containerd")
    yield made
    done = made.run("down", "--purge")
    assert done.returncode == 0, done.stderr
    assert remains(made) == []


def remains(cluster: Cluster) -> list[str]:
    """Everything of the cluster that is still on the machine."""
    processes = [f"process {one.pid}" for one in strays(cluster.home)]
    return [*leftovers(Home(cluster.name, cluster.home)), *processes]


def run_web(cluster: Cluster) -> None:
    """The example: three replicas behind a Service, all of them ready."""
    cluster.kubectl("apply", "-f", str(EXAMPLES / "replicaset.yaml"), "-f", str(EXAMPLES / "service.yaml"))
    await_ready(cluster)


def await_ready(cluster: Cluster) -> None:
    """Until three of three replicas are Ready."""
    wait = ("wait", "--for=jsonpath={.status.readyReplicas}=3", "--timeout=80s", "replicaset/web")
    eventually(lambda: cluster.run(*wait, program="kubectl").returncode == 0, "three replicas Ready")


def pods(cluster: Cluster) -> set[str]:
    """The pods' names."""
    return set(cluster.kubectl("get", "pods", "-l", "app=web", "-o", "jsonpath={.items[*].metadata.name}").split())


def containers(cluster: Cluster) -> set[str]:
    """The ids of the pods' containers with their numbers of restarts."""
    shape = "jsonpath={range .items[*].status.containerStatuses[*]}{.containerID}={.restartCount} {end}"
    return set(cluster.kubectl("get", "pods", "-l", "app=web", "-o", shape).split())


def await_all_answer(cluster: Cluster, node: str) -> None:
    """Until every replica, and nobody else, has answered a node."""
    answered: set[str] = set()

    def all_did() -> bool:
        answered.update(pages(cluster, node))
        return answered == pods(cluster)

    eventually(all_did, f"every replica answered {node}")


def pages(cluster: Cluster, node: str = "node-1") -> set[str]:
    """Who answered a handful of requests to the Service's address, from a node."""
    address = cluster.kubectl("get", "service", "web", "-o", "jsonpath={.spec.clusterIP}")
    script = f"for number in $(seq 25); do timeout 5 busybox wget -qO- http://{address}/; done"
    done = cluster.run("enter", f"--node={node}", "sh", "-c", script)
    return {line.rpartition(" ")[2] for line in done.stdout.splitlines()}


def test_main_job_and_nothing_left(cluster: Cluster) -> None:
    """Three replicas come up in containers and answer through the Service, each hop is told; `down` leaves nothing."""
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


def test_up_again_goes_on_with_what_was(cluster: Cluster) -> None:
    """After `down` without `--purge`, the next `up` runs the same pods' replacements without being told again."""
    cluster.up()
    run_web(cluster)
    cluster.run("down")
    cluster.up()
    await_ready(cluster)
    eventually(lambda: pages(cluster) <= pods(cluster), "only pods that are there answer")


@pytest.mark.parametrize("processes", ["together", "apart"])
def test_killed_processes_come_back_and_containers_run_on(cluster: Cluster, processes: str) -> None:
    """SIGKILL of each process in turn: it is started again, and every container is the one it was."""
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


def test_two_nodes_share_the_work(cluster: Cluster) -> None:
    """Pods are on both nodes, and every node reaches all of them through the Service."""
    cluster.up("--nodes=2")
    run_web(cluster)
    shape = "jsonpath={.items[*].spec.nodeName}"
    assert set(cluster.kubectl("get", "pods", "-l", "app=web", "-o", shape).split()) == {"node-1", "node-2"}
    for node in ("node-1", "node-2"):
        await_all_answer(cluster, node)


def test_chain_link_by_link(cluster: Cluster) -> None:
    """A ReplicaSet is a record and no more; its pods are Pending; they are assigned and nothing runs; they run.

    Each as long as the controller-manager, the scheduler or the kubelet is stopped.
    """
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


def test_interrupted_up_is_removed_by_down(cluster: Cluster) -> None:
    """Whatever an `up` that was killed has made, `down` finds and takes away."""
    import subprocess  # noqa: PLC0415  # only here

    from tests.cluster_commands import BIN  # noqa: PLC0415  # likewise

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
        assert remains(cluster)
        assert not (cluster.home / "fabric.json").exists()
    finally:
        pids = cluster.pids()
        cluster.run("down", "--purge")
    assert [pid for pid in pids.values() if is_alive(pid)] == []
