"""SIGKILL of any component at any moment of the main job: the same end, no container lost or doubled."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import grpc.aio
import pytest

from kubewire.cluster.home import Home
from kubewire.cluster.nodes.leftovers import leftovers
from kubewire.cluster.nodes.removal import remove_all
from kubewire.cri.v1 import api_pb2, api_pb2_grpc
from tests.cluster_commands import Cluster, eventually, is_alive, without

EXAMPLES = Path(__file__).parents[3] / "examples"
COMPONENTS = (
    "etcd",
    "apiserver",
    "controller-manager",
    "scheduler",
    "node-network",
    "node-1/containerd",
    "node-1/kubelet",
    "node-1/kube-proxy",
)
LONG_SEEDS = 40
_LONGEST_SECONDS = 2.5
"""From the request to all Ready it takes less than this: every moment of the job can be hit."""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster of processes apart; ended afterwards, with nothing left of it."""
    made = Cluster(tmp_path_factory.mktemp("kw") / "home", f"kills-{os.getpid()}", "containerd")
    made.up("--processes=apart")
    yield made
    done = made.run("down", "--purge")
    assert done.returncode == 0, done.stderr
    assert leftovers(Home(made.name, made.home)) == []


def pod_uids(cluster: Cluster) -> set[str]:
    """The pods that the API has."""
    return set(cluster.kubectl("get", "pods", "-o", "jsonpath={.items[*].metadata.uid}").split())


def running(cluster: Cluster) -> Counter[str]:
    """How many containers run of each pod, by its uid, as containerd says it once it answers again."""
    wanted = api_pb2.ContainerFilter(state=api_pb2.ContainerStateValue(state=api_pb2.CONTAINER_RUNNING))

    async def ask() -> Counter[str]:
        async with grpc.aio.insecure_channel(f"unix://{cluster.home}/run/1.sock") as channel:
            request = api_pb2.ListContainersRequest(filter=wanted)
            answer = await api_pb2_grpc.RuntimeServiceStub(channel).ListContainers(request, timeout=10)
        return Counter(one.labels["io.kubernetes.pod.uid"] for one in answer.containers)

    found: list[Counter[str]] = []

    def did_answer() -> bool:
        with suppress(grpc.aio.AioRpcError):
            found.append(asyncio.run(ask()))
        return bool(found)

    eventually(did_answer, "containerd answers")
    return found[0]


def make(cluster: Cluster) -> None:
    """Ask for the three replicas; an API server that is being killed is asked again."""
    manifests = ("-f", str(EXAMPLES / "replicaset.yaml"), "-f", str(EXAMPLES / "service.yaml"))
    eventually(lambda: cluster.run("apply", *manifests, program="kubectl").returncode == 0, "applied")


def kill_while_pods_come_up(cluster: Cluster, component: str, moment: float) -> None:
    """Ask for the replicas, kill the component that many seconds later, and expect the same end."""
    make(cluster)
    time.sleep(moment)
    pid = cluster.pid(component)
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: cluster.pid(component) not in (0, pid), f"{component} was started again")
    eventually(lambda: is_as_asked(cluster), f"three replicas, {component} killed after {moment:.2f} s")
    unmake(cluster)


def is_as_asked(cluster: Cluster) -> bool:
    """Three pods, all Ready, and of each exactly one container runs."""
    ready = cluster.run("get", "rs", "web", "-o", "jsonpath={.status.readyReplicas}", program="kubectl")
    return ready.stdout == "3" and running(cluster) == dict.fromkeys(pod_uids(cluster), 1)


def unmake(cluster: Cluster) -> None:
    """Take them away, and wait until nothing runs."""
    cluster.kubectl("delete", "rs", "web")
    eventually(lambda: not pod_uids(cluster) and not running(cluster), "all pods are gone")


@pytest.mark.parametrize("component", COMPONENTS)
def test_killed_while_pods_come_up(cluster: Cluster, component: str) -> None:
    """Killed somewhere between the request and Ready, the component comes back, and the job is done once."""
    kill_while_pods_come_up(cluster, component, random.Random(component).uniform(0.0, _LONGEST_SECONDS))


@pytest.mark.long
@pytest.mark.parametrize("seed", range(LONG_SEEDS))
def test_any_killed_at_any_moment(cluster: Cluster, seed: int) -> None:
    """Likewise for whichever component, whenever."""
    chance = random.Random(seed)
    kill_while_pods_come_up(cluster, chance.choice(COMPONENTS), chance.uniform(0.0, _LONGEST_SECONDS))


@pytest.mark.parametrize("component", COMPONENTS)
def test_killed_while_pods_go(cluster: Cluster, component: str) -> None:
    """Killed while the pods are being deleted, the component comes back, and nothing runs in the end."""
    make(cluster)
    eventually(lambda: is_as_asked(cluster), "three replicas")
    cluster.kubectl("delete", "rs", "web", "--wait=false")
    time.sleep(random.Random(component).uniform(0.0, 1.0))
    os.kill(cluster.pid(component), signal.SIGKILL)
    eventually(lambda: cluster.run("status").returncode == 0, "ready again")
    eventually(lambda: not pod_uids(cluster) and not running(cluster), "all pods are gone")


def test_everything_killed_at_once(cluster: Cluster) -> None:
    """All processes and their supervisor killed: containers run on, and `up` goes on with the very same ones."""
    make(cluster)
    eventually(lambda: is_as_asked(cluster), "three replicas")
    shape = "jsonpath={.items[*].status.containerStatuses[*].containerID}"
    before, pids = cluster.kubectl("get", "pods", "-o", shape), cluster.pids()
    for pid in pids.values():
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: not any(map(is_alive, pids.values())), "all ended")
    cluster.up("--processes=apart")
    eventually(lambda: is_as_asked(cluster), "three replicas")
    assert set(cluster.kubectl("get", "pods", "-o", shape).split()) == set(before.split())
    unmake(cluster)


def test_machine_that_was_started_anew(cluster: Cluster) -> None:
    """Nothing runs and the kernel has forgotten all, as after a crash of the machine: `up` makes everything again."""
    make(cluster)
    eventually(lambda: is_as_asked(cluster), "three replicas")
    pids = cluster.pids()
    for pid in pids.values():
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: not any(map(is_alive, pids.values())), "all ended")
    kept = {
        path: path.read_bytes() for path in (cluster.home / "fabric.json", *cluster.home.glob("nodes/*/place.json"))
    }
    remove_all(Home(cluster.name, cluster.home))
    for path, content in kept.items():
        path.write_bytes(content)
    cluster.up("--processes=apart")
    eventually(lambda: is_as_asked(cluster), "three replicas")
    unmake(cluster)


def test_killed_supervisor_leaves_the_rest(cluster: Cluster) -> None:
    """Without a supervisor pods run on, and the next one takes over all processes as they are."""
    before = cluster.pids()
    os.kill(before["supervisor"], signal.SIGKILL)
    eventually(lambda: not is_alive(before["supervisor"]), "it ended")
    cluster.up("--processes=apart")
    assert without(cluster.pids(), "supervisor") == without(before, "supervisor")
