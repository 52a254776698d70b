"""Pods that change while they run, and others that are out of the ordinary."""

import asyncio

from kubewire.api.core.v1.pod_pb2 import Pod
from tests.scenarios.kubelet.simulated_node import SimulatedNode, pod_of

ONE = "containers: [{name: app, image: app:1}]"


async def test_another_image_has_the_container_made_anew() -> None:
    """Only that container, within its grace period; it counts as restarted."""
    node = SimulatedNode()
    node.add(pod_of("containers: [{name: app, image: app:1}, {name: aid, image: app:1}]"))
    async with node.running():
        await asyncio.sleep(1)
        node.diary.clear()
        pod = node.get()
        pod.spec.containers[0].image = "app:2"
        node.cluster.put(pod)
        await asyncio.sleep(1)
        first, second = node.get().status.containerStatuses
        assert (first.image, first.restartCount, second.restartCount) == ("app:2", 1, 0)
    assert node.diary.about("StopContainer", "CreateContainer") == [
        "1.0 StopContainer app 30",
        "1.0 CreateContainer app",
    ]


async def test_an_ephemeral_container_is_started_once() -> None:
    """Beside the others, and never again."""
    node = SimulatedNode()
    node.add(pod_of(ONE))
    async with node.running():
        await asyncio.sleep(1)
        pod = node.get()
        added = pod.spec.ephemeralContainers.add(targetContainerName="app")
        added.ephemeralContainerCommon.name, added.ephemeralContainerCommon.image = "look", "tools:1"
        node.cluster.put(pod)
        await asyncio.sleep(1)
        (status,) = node.get().status.ephemeralContainerStatuses
        assert status.state.HasField("running")
        seen = node.workers.workers[pod.metadata.uid].picture().seen
        node.runtime.end(seen.named("look")[0].id, 1)
        await asyncio.sleep(60)
        (status,) = node.get().status.ephemeralContainerStatuses
        assert (status.state.terminated.exitCode, status.restartCount) == (1, 0)
        assert node.get().status.phase == "Running"


async def test_readiness_gates_keep_a_pod_unready() -> None:
    """Until somebody opens them."""
    node = SimulatedNode()
    node.add(pod_of(ONE + "\nreadinessGates: [{conditionType: example.org/ok}]"))
    async with node.running():
        await asyncio.sleep(1)
        ready = {one.type: one for one in node.get().status.conditions}["Ready"]
        assert (ready.status, ready.reason) == ("False", "ReadinessGatesNotReady")
        assert ready.message == 'corresponding condition of pod readiness gate "example.org/ok" does not exist.'
        pod = node.get()
        pod.status.conditions.add(type="example.org/ok", status="True")
        node.cluster.put(pod)
        await asyncio.sleep(1)
        assert {one.type: one.status for one in node.get().status.conditions}["Ready"] == "True"


async def test_a_pod_on_the_nodes_network_has_the_nodes_address() -> None:
    """And needs none of its own."""
    node = SimulatedNode()
    node.add(pod_of("hostNetwork: true\n" + ONE))
    async with node.running():
        await asyncio.sleep(1)
        status = node.get().status
        assert (status.phase, status.podIP, status.hostIP) == ("Running", "192.0.2.1", "192.0.2.1")


async def test_a_grace_period_of_nothing_kills_at_once() -> None:
    """TERM is not waited for."""
    node = SimulatedNode()
    node.add(pod_of(ONE))
    async with node.running():
        await asyncio.sleep(1)
        node.delete(grace_seconds=0)
        await asyncio.sleep(1)
        assert node.cluster.get(Pod, "web", "default") is None
    assert node.diary.about("StopContainer") == ["1.0 StopContainer app 0"]


async def test_a_rejected_pod_is_deleted_like_any_other() -> None:
    """Nothing of it ever ran."""
    node = SimulatedNode()
    node.add(pod_of("nodeSelector: {disk: ssd}\n" + ONE))
    async with node.running():
        await asyncio.sleep(1)
        status = node.get().status
        assert (status.phase, status.reason) == ("Failed", "NodeAffinity")
        node.delete()
        await asyncio.sleep(1)
        assert node.cluster.get(Pod, "web", "default") is None
    assert node.diary.about("RunPodSandbox", "CreateContainer") == []


async def test_a_pod_that_waits_for_the_disk_can_be_deleted() -> None:
    """Volumes and variables that hang hold up nobody's end."""
    node = SimulatedNode()
    hanging = asyncio.Event()

    async def hang(pod: Pod) -> None:
        hanging.set()
        await asyncio.get_running_loop().create_future()

    node.tools.volumes.ensure = hang  # type: ignore[method-assign]
    node.add(pod_of(ONE))
    async with node.running():
        await hanging.wait()
        node.delete()
        await asyncio.sleep(1)
        assert node.cluster.get(Pod, "web", "default") is None


async def test_events_tell_a_pods_story() -> None:
    """With Kubernetes' reasons, about the container they are about."""
    node = SimulatedNode()
    node.runtime.missing.add("app:1")
    node.add(pod_of(ONE))
    async with node.running():
        await asyncio.sleep(1)
        node.delete()
        await asyncio.sleep(1)
        await node.recorder.flush()
    told = node.events()
    assert [event.partition(":")[0] for event in told] == ["Pulling", "Pulled", "Created", "Started", "Killing"]


async def test_a_hundred_pods_at_once() -> None:
    """All run, all end, and nothing is left."""
    node = SimulatedNode()
    for number in range(100):
        node.add(pod_of(ONE, name=f"web-{number}"))
    async with node.running():
        await asyncio.sleep(5)
        assert {pod.status.phase for pod in node.cluster.all(Pod)} == {"Running"}
        assert len({pod.status.podIP for pod in node.cluster.all(Pod)}) == 100
        for number in range(100):
            node.delete(f"web-{number}")
        await asyncio.sleep(5)
        assert node.cluster.all(Pod) == []
        assert (node.workers.workers, await node.runtime.list()) == ({}, [])
