"""A kubelet that is killed at any moment and started again: no container is lost, doubled or touched."""

import asyncio

import pytest

from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.kubelet.errors import RuntimeCallError
from kubewire.kubelet.runtime.contracts import PodIdentity
from kubewire.kubelet.runtime.simulated import Ending
from tests.scenarios.kubelet.simulated_node import SimulatedNode, pod_of

ONE = "containers: [{name: app, image: app:1}]"
ACTS = ("RunPodSandbox", "CreateContainer", "StartContainer", "StopContainer", "StopPodSandbox")


async def test_running_containers_are_taken_over_untouched() -> None:
    """The next kubelet does nothing to a pod that runs."""
    node = SimulatedNode()
    node.add(pod_of(ONE))
    async with node.running():
        await asyncio.sleep(5)
    before = node.get().status
    node.restart()
    node.diary.clear()
    async with node.running():
        await asyncio.sleep(70)
        assert node.diary.about(*ACTS) == []
        assert node.get().status == before


@pytest.mark.parametrize("call", ["RunPodSandbox", "CreateContainer", "StartContainer"])
async def test_a_kubelet_killed_in_the_middle_of_a_start_leaves_one_container(call: str) -> None:
    """Whatever was made is found again; each container runs once."""
    node = SimulatedNode()
    pod = node.add(pod_of(ONE))
    killed = asyncio.Event()
    ask = node.runtime._ask

    def ask_and_kill(operation: str, about: str) -> None:
        ask(operation, about)
        if operation == call:
            killed.set()

    node.runtime._ask = ask_and_kill  # type: ignore[method-assign]
    async with node.running():
        await killed.wait()
    node.restart()
    async with node.running():
        await asyncio.sleep(30)
        seen = await node.runtime.pod(PodIdentity(pod.metadata.uid, "default", "web"))
        assert [one.name for one in seen.running] == ["app"]
        assert len([one for one in seen.sandboxes if one.is_ready]) == 1
        status = node.get().status
        assert (status.phase, status.containerStatuses[0].restartCount) == ("Running", 0)


async def test_a_container_that_was_made_and_not_started_does_not_count() -> None:
    """It was reported, removed and made anew: nothing was restarted."""
    node = SimulatedNode()
    node.runtime.refusals["StartContainer"] = [RuntimeCallError("StartContainer", "UNAVAILABLE", "gone")] * 3
    node.add(pod_of(ONE))
    async with node.running():
        await asyncio.sleep(0.9)
        assert node.get().status.containerStatuses[0].state.waiting.reason == "RunContainerError"
    node.restart()
    async with node.running():
        await asyncio.sleep(20)
        status = node.get().status
        assert (status.phase, status.containerStatuses[0].restartCount) == ("Running", 0)


async def test_containers_that_the_runtime_has_lost_count_on() -> None:
    """After the machine began anew, say: what ran before is told as lost, and the next one is a restart."""
    node = SimulatedNode()
    pod = node.add(pod_of(ONE))
    async with node.running():
        await asyncio.sleep(5)
    seen = await node.runtime.pod(PodIdentity(pod.metadata.uid, "default", "web"))
    await node.runtime.remove_sandbox(seen.sandboxes[0].id)
    node.restart()
    async with node.running():
        await asyncio.sleep(20)
        status = node.get().status
        assert (status.phase, status.containerStatuses[0].restartCount) == ("Running", 1)


async def test_what_was_deleted_meanwhile_is_ended() -> None:
    """Pods that went while nobody looked are ended as they wanted to be, and removed."""
    node = SimulatedNode()
    pod = node.add(pod_of("terminationGracePeriodSeconds: 9\n" + ONE))
    async with node.running():
        await asyncio.sleep(5)
    node.cluster.remove(Pod, "web", "default")
    node.restart()
    node.diary.clear()
    async with node.running():
        await asyncio.sleep(5)
        assert node.diary.about("StopContainer") == ["5.0 StopContainer app 9"]
        assert (await node.runtime.pod(PodIdentity(pod.metadata.uid, "default", "web"))).is_empty
        assert not node.workers.workers


async def test_an_end_that_was_under_way_goes_on() -> None:
    """A pod that was being deleted is deleted."""
    node = SimulatedNode()
    node.endings["app"] = Ending(stop_seconds=20)
    node.add(pod_of(ONE))
    async with node.running():
        await asyncio.sleep(5)
        node.delete()
        await asyncio.sleep(3)
    node.restart()
    async with node.running():
        await asyncio.sleep(40)
        assert node.cluster.get(Pod, "web", "default") is None


async def test_a_crash_loop_does_not_begin_anew() -> None:
    """The wait is recalled from the number of attempts."""
    node = SimulatedNode()
    node.endings["app"] = Ending(1, 3)
    node.add(pod_of(ONE))
    async with node.running():
        await asyncio.sleep(14)
    node.restart()
    node.diary.clear()
    async with node.running():
        await asyncio.sleep(30)
    assert node.diary.about("StartContainer") == ["33.0 StartContainer app"]


async def test_a_container_that_ended_meanwhile_is_started_again() -> None:
    """Its end is reported as it was."""
    node = SimulatedNode()
    node.endings["app/0"] = Ending(7, 5)
    node.add(pod_of(ONE))
    async with node.running():
        await asyncio.sleep(5)
    await asyncio.sleep(10)
    node.restart()
    async with node.running():
        await asyncio.sleep(5)
        status = node.get().status.containerStatuses[0]
        assert status.restartCount == 1
        assert status.lastState.terminated.exitCode == 5
        assert status.lastState.terminated.finishedAt.seconds - status.lastState.terminated.startedAt.seconds == 7


async def test_pods_that_run_keep_their_place_on_a_full_node() -> None:
    """Whoever runs already is taken before whoever asks to."""
    node = SimulatedNode()
    big = "containers: [{name: app, image: app:1, resources: {requests: {cpu: '3'}}}]"
    node.add(pod_of(big, name="zebra"))
    async with node.running():
        await asyncio.sleep(5)
    node.add(pod_of(big, name="ant"))
    node.restart()
    async with node.running():
        await asyncio.sleep(5)
        assert node.get("zebra").status.phase == "Running"
        rejected = node.get("ant").status
        assert (rejected.phase, rejected.reason) == ("Failed", "OutOfcpu")
        assert rejected.message == (
            "Pod was rejected: Node didn't have enough resource: cpu, requested: 3000, used: 3000, capacity: 4000"
        )


async def test_a_finished_pod_stays_finished() -> None:
    """Nothing of it is started again, and what was reported stays."""
    node = SimulatedNode()
    node.endings["app"] = Ending(1, 0)
    node.add(pod_of("restartPolicy: OnFailure\n" + ONE))
    async with node.running():
        await asyncio.sleep(5)
    before = node.get()
    node.restart()
    async with node.running():
        await asyncio.sleep(70)
        assert node.diary.about("StartContainer") == ["0.0 StartContainer app"]
        assert node.get() == before


async def test_api_servers_that_are_away_do_not_hold_up_containers() -> None:
    """Containers are restarted while nobody can be told, and told about afterwards."""
    node = SimulatedNode()
    node.endings["app/0"] = Ending(10, 1)
    node.add(pod_of(ONE))
    async with node.running():
        await asyncio.sleep(5)
        node.link.take_down()
        await asyncio.sleep(20)
        assert node.diary.about("StartContainer") == ["0.0 StartContainer app", "10.0 StartContainer app"]
        assert node.get().status.containerStatuses[0].restartCount == 0
        node.link.is_up = True
        await asyncio.sleep(30)
        assert node.get().status.containerStatuses[0].restartCount == 1


async def test_a_runtime_that_is_away_is_waited_for() -> None:
    """What it refuses is tried again, later each time, and told about."""
    node = SimulatedNode()
    node.runtime.refusals["RunPodSandbox"] = [RuntimeCallError("RunPodSandbox", "UNAVAILABLE", "no socket")] * 3
    node.add(pod_of(ONE))
    async with node.running():
        await asyncio.sleep(10)
        await node.recorder.flush()
        assert node.get().status.phase == "Running"
    assert "FailedCreatePodSandBox: Failed to create pod sandbox: no socket" in node.events()


async def test_a_lost_sandbox_is_replaced_and_all_begins_anew() -> None:
    """The pod gets another sandbox, its init containers run again, and its containers count as restarted."""
    node = SimulatedNode()
    node.endings["one"] = Ending(1, 0)
    pod = node.add(pod_of("initContainers: [{name: one, image: a:1}]\n" + ONE))
    async with node.running():
        await asyncio.sleep(5)
        seen = await node.runtime.pod(PodIdentity(pod.metadata.uid, "default", "web"))
        node.diary.clear()
        await node.runtime.stop_sandbox(seen.sandboxes[0].id)
        await asyncio.sleep(15)
        status = node.get().status
        assert (status.phase, status.containerStatuses[0].restartCount) == ("Running", 1)
    acts = [line.split(" ", 1)[1] for line in node.diary.about("RunPodSandbox", "StartContainer")]
    assert acts == ["RunPodSandbox web", "StartContainer one", "StartContainer app"]
