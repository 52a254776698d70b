"""How pods end: hooks, grace periods, and nothing left behind."""

import asyncio

from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.kubelet.errors import RuntimeCallError
from kubewire.kubelet.runtime.contracts import PodIdentity
from kubewire.kubelet.runtime.simulated import Ending
from tests.scenarios.kubelet.simulated_node import SimulatedNode, pod_of

ONE = "containers: [{name: app, image: app:1}]"
HOOKED = """
terminationGracePeriodSeconds: 30
containers:
- name: app
  image: app:1
  lifecycle: {preStop: {exec: {command: [sleep, "4"]}}}
"""


async def settled(node: SimulatedNode) -> None:
    """What was begun is done."""
    await asyncio.sleep(1)


async def emptied(node: SimulatedNode, identity: PodIdentity) -> bool:
    """Whether the runtime has nothing of a pod any more."""
    return (await node.runtime.pod(identity)).is_empty


async def test_a_deleted_pod_ends_and_leaves_nothing() -> None:
    """TERM, the sandbox, the last status, the delete; then the remains are removed."""
    node = SimulatedNode()
    pod = node.add(pod_of(ONE))
    async with node.running():
        await settled(node)
        node.diary.clear()
        node.delete()
        await settled(node)
        assert node.diary == [
            "1.0 StopContainer app 30",
            "1.0 Failed app=Error(143)",
            "1.0 StopPodSandbox web",
            "1.0 RemoveContainer app",
            "1.0 RemovePodSandbox web",
        ]
        assert node.cluster.get(Pod, "web", "default") is None
        assert await emptied(node, PodIdentity(pod.metadata.uid, "default", "web"))
        assert not node.workers.workers


async def test_a_pre_stop_hook_takes_its_part_of_the_grace_period() -> None:
    """The hook runs before TERM, and what it took is no longer there for the container."""
    node = SimulatedNode()
    node.add(pod_of(HOOKED))
    async with node.running():
        await settled(node)
        node.diary.clear()
        node.delete()
        await asyncio.sleep(6)
    assert node.diary.about("Exec", "StopContainer") == ["1.0 Exec sleep 4", "5.0 StopContainer app 26"]


async def test_a_pre_stop_hook_is_cut_off_with_the_grace_period() -> None:
    """A hook that takes too long is told about, and the container gets two seconds all the same."""
    node = SimulatedNode()
    node.add(pod_of(HOOKED.replace('"4"', '"100"').replace("30", "8")))
    async with node.running():
        await settled(node)
        node.delete(grace_seconds=8)
        await asyncio.sleep(12)
        await node.recorder.flush()
    assert node.diary.about("StopContainer") == ["9.0 StopContainer app 2"]
    assert "FailedPreStopHook: PreStopHook failed: took longer than 8 s" in node.events()


async def test_a_shorter_grace_period_takes_the_place_of_a_longer_one() -> None:
    """Whoever is in more of a hurry does not wait for whoever was in less."""
    node = SimulatedNode()
    node.endings["app"] = Ending(stop_seconds=1000)
    node.add(pod_of(ONE))
    async with node.running():
        await settled(node)
        node.diary.clear()
        node.delete(grace_seconds=100)
        await asyncio.sleep(5)
        node.delete(grace_seconds=10)
        await asyncio.sleep(20)
    assert node.diary.about("StopContainer", "Failed") == [
        "1.0 StopContainer app 100",
        "6.0 StopContainer app 5",
        "11.0 Failed app=Error(137)",
    ]


async def test_main_containers_end_before_sidecars_and_those_last_to_first() -> None:
    """Who came first goes last."""
    node = SimulatedNode()
    node.endings.update({name: Ending(stop_seconds=2) for name in ("one", "two", "app", "aid")})
    node.add(
        pod_of(
            """
            initContainers:
            - {name: one, image: a:1, restartPolicy: Always}
            - {name: two, image: a:1, restartPolicy: Always}
            containers: [{name: app, image: app:1}, {name: aid, image: app:1}]
            """
        )
    )
    async with node.running():
        await settled(node)
        node.delete()
        await asyncio.sleep(20)
    assert node.diary.about("StopContainer", "StopPodSandbox") == [
        "1.0 StopContainer aid 30",
        "1.0 StopContainer app 30",
        "3.0 StopContainer two 28",
        "5.0 StopContainer one 26",
        "7.0 StopPodSandbox web",
    ]


async def test_a_pod_that_is_deleted_while_its_image_is_missing_ends_at_once() -> None:
    """Nothing that is waited for holds up the end."""
    node = SimulatedNode()
    node.runtime.missing.add("app:1")
    node.runtime.refusals["PullImage"] = [RuntimeCallError("PullImage", "UNKNOWN", "no such host")] * 99
    node.add(pod_of(ONE))
    async with node.running():
        await settled(node)
        node.delete()
        await settled(node)
        assert node.cluster.get(Pod, "web", "default") is None


async def test_a_pod_that_vanished_is_ended_with_its_own_grace_period() -> None:
    """A forced deletion takes the record away, not the time that containers were promised."""
    node = SimulatedNode()
    node.add(pod_of("terminationGracePeriodSeconds: 12\n" + ONE))
    async with node.running():
        await settled(node)
        node.diary.clear()
        node.cluster.remove(Pod, "web", "default")
        await settled(node)
        assert not node.workers.workers
    assert node.diary == [
        "1.0 StopContainer app 12",
        "1.0 StopPodSandbox web",
        "1.0 RemoveContainer app",
        "1.0 RemovePodSandbox web",
    ]


async def test_a_pod_made_anew_under_its_name_does_not_wait_for_the_one_before() -> None:
    """Pods are told apart by their uid."""
    node = SimulatedNode()
    node.endings["app"] = Ending(stop_seconds=5)
    node.add(pod_of(ONE))
    async with node.running():
        await settled(node)
        node.cluster.remove(Pod, "web", "default")
        node.add(pod_of(ONE))
        await settled(node)
        assert node.get().status.phase == "Running"
        await asyncio.sleep(10)
        assert len(node.workers.workers) == 1
        assert node.get().status.phase == "Running"


async def test_a_finished_pod_is_removed_when_it_is_deleted() -> None:
    """Its containers stay for their logs until then."""
    node = SimulatedNode()
    node.endings["app"] = Ending(1, 0)
    pod = node.add(pod_of("restartPolicy: Never\n" + ONE))
    identity = PodIdentity(pod.metadata.uid, "default", "web")
    async with node.running():
        await asyncio.sleep(3)
        assert node.get().status.phase == "Succeeded"
        assert not await emptied(node, identity)
        node.delete()
        await settled(node)
        assert node.cluster.get(Pod, "web", "default") is None
        assert await emptied(node, identity)


async def test_a_failed_post_start_hook_ends_the_container() -> None:
    """It is started again after a wait, and its status says why."""
    node = SimulatedNode()
    node.add(pod_of(ONE.replace("}]", ", lifecycle: {postStart: {exec: {command: ['false']}}}}]")))
    async with node.running():
        await asyncio.sleep(0.3)
        await node.recorder.flush()
        waiting = node.get().status.containerStatuses[0].state.waiting
        assert (waiting.reason, waiting.message) == ("PostStartHookError", "command 'false' exited with 1: ")
    assert node.diary.about("StartContainer", "Exec", "StopContainer")[:3] == [
        "0.0 StartContainer app",
        "0.0 Exec false",
        "0.0 StopContainer app 30",
    ]


async def test_a_runtime_that_cannot_stop_a_container_is_asked_again() -> None:
    """A refusal is told about and does not end the end."""
    node = SimulatedNode()
    node.add(pod_of(ONE))
    async with node.running():
        await settled(node)
        node.runtime.refusals["StopContainer"] = [RuntimeCallError("StopContainer", "UNKNOWN", "stuck")] * 2
        node.delete()
        await asyncio.sleep(5)
        await node.recorder.flush()
        assert node.cluster.get(Pod, "web", "default") is None
    assert any(event.startswith("FailedKillPod") for event in node.events())
