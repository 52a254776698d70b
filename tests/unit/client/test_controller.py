"""Controller: every difference is looked at, failures come back, and writes say what caused them."""

import asyncio
import logging
from collections.abc import Callable

import pytest

from kubewire.api.apps.v1.replica_set_pb2 import ReplicaSet
from kubewire.api.core.v1.config_map_pb2 import ConfigMap
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.client.cause import current_cause
from kubewire.client.controller import Controller, RequeueAfter, key_of_controller
from kubewire.client.informer.shared import SharedInformers
from kubewire.client.objects import ObjectKey
from kubewire.client.testing.simulated_cluster import SimulatedCluster
from kubewire.client.workqueue.metrics import WorkQueueMetrics
from kubewire.client.workqueue.rate_limit import ExponentialPerItem
from kubewire.component.metrics.registry import Registry
from kubewire.machinery.errors import conflict
from kubewire.machinery.gvk import GroupResource
from tests.unit.client.objects import pod
from tests.unit.client.running import running


class Looks:
    """A reconcile that notes what it was asked, and does what the test says."""

    def __init__(self, do: Callable[[int], RequeueAfter | None] = lambda _: None) -> None:
        self.lines: list[str] = []
        self._do = do

    async def reconcile(self, key: ObjectKey) -> RequeueAfter | None:
        """Note time, key and cause."""
        at = asyncio.get_running_loop().time()
        self.lines.append(f"{at:g} {key} {current_cause()}".rstrip())
        return self._do(len(self.lines))


async def settle() -> None:
    """Let everything happen that takes no time."""
    await asyncio.sleep(0.01)


async def test_every_difference_is_looked_at() -> None:
    """Additions, updates and deletions, each with the version that caused it."""
    cluster = SimulatedCluster()
    shared, looks = SharedInformers(cluster.client()), Looks()
    controller = Controller("pods", looks.reconcile)
    controller.watch(shared.informer(Pod))
    stored = cluster.add(pod("a"))
    async with running(shared.run(), controller.run()):
        await settle()
        stored.spec.nodeName = "n1"
        cluster.put(stored)
        await settle()
        cluster.remove(Pod, "a", "default")
        await settle()
    assert [line.split(" ", 1)[1] for line in looks.lines] == [
        "default/a Pod/default/a@1",
        "default/a Pod/default/a@2",
        "default/a Pod/default/a@3",
    ]


async def test_nothing_is_looked_at_before_the_caches_are_full() -> None:
    """A reconcile never sees half of what there is."""
    cluster = SimulatedCluster()
    for number in range(600):
        cluster.add(pod(f"p{number}"))
    shared = SharedInformers(cluster.client())
    informer, sizes = shared.informer(Pod), set[int]()

    async def reconcile(_: ObjectKey) -> None:
        sizes.add(len(informer.cache))

    controller = Controller("pods", reconcile, workers=4)
    controller.watch(informer)
    async with running(shared.run(), controller.run()):
        await asyncio.sleep(1)
    assert sizes == {600}


async def test_owned_objects_ask_for_their_controllers() -> None:
    """A pod asks for the ReplicaSet that controls it; one that changes hands asks for both."""
    cluster = SimulatedCluster()
    shared, looks = SharedInformers(cluster.client()), Looks()
    controller = Controller("replicaset", looks.reconcile)
    controller.watch(shared.informer(ReplicaSet))
    controller.watch(shared.informer(Pod), key_of_controller("ReplicaSet"))
    async with running(shared.run(), controller.run()):
        await settle()
        cluster.add(pod("orphan"))
        owned = cluster.add(pod("a", owner="u1"))
        await settle()
        assert [line.split()[1] for line in looks.lines] == ["default/rs"]
        owned.metadata.ownerReferences[0].name = "other"
        cluster.put(owned)
        await settle()
        assert [line.split()[1] for line in looks.lines[1:]] == ["default/rs", "default/other"]


async def test_irrelevant_updates_are_left_out() -> None:
    """By a comparison of the object before and after."""
    cluster = SimulatedCluster()
    shared, looks = SharedInformers(cluster.client()), Looks()
    controller = Controller("pods", looks.reconcile)
    controller.watch(shared.informer(Pod), is_relevant=lambda before, now: before.spec != now.spec)
    stored = cluster.add(pod("a"))
    async with running(shared.run(), controller.run()):
        await settle()
        stored.metadata.labels["x"] = "y"
        cluster.put(stored)
        await settle()
        assert len(looks.lines) == 1


def fail_twice(count: int) -> None:
    """Fail at first."""
    if count < 3:
        raise conflict(GroupResource("", "pods"), "a")


async def test_failures_come_back_later_each_time() -> None:
    """With the same cause, until it succeeds; then the next failure is a first one."""
    cluster = SimulatedCluster()
    shared, looks = SharedInformers(cluster.client()), Looks(fail_twice)
    controller = Controller("pods", looks.reconcile, limiter=ExponentialPerItem(1, 60))
    controller.watch(shared.informer(Pod))
    cluster.add(pod("a"))
    async with running(shared.run(), controller.run()):
        await asyncio.sleep(30)
    cause = "default/a Pod/default/a@1"
    assert looks.lines == [f"0 {cause}", f"1 {cause}", f"3 {cause}"]
    assert controller.queue.failures(ObjectKey("default", "a")) == 0


async def test_a_success_may_ask_for_another_look() -> None:
    """After the time it says."""
    looks = Looks(lambda count: RequeueAfter(10) if count < 3 else None)
    controller = Controller("pods", looks.reconcile)
    controller.queue.add(ObjectKey("", "a"))
    async with running(controller.run()):
        await asyncio.sleep(100)
    assert looks.lines == ["0 a", "10 a", "20 a"]


async def test_workers_work_side_by_side_but_not_on_one_key() -> None:
    """Four keys take as long as one, and one key never has two workers."""
    working: set[ObjectKey] = set()

    async def reconcile(key: ObjectKey) -> None:
        assert key not in working
        working.add(key)
        if asyncio.get_running_loop().time() == 0:
            controller.queue.add(key)
        await asyncio.sleep(10)
        working.remove(key)

    controller = Controller("pods", reconcile, workers=4)
    for name in "abcd":
        controller.queue.add(ObjectKey("", name))
    async with running(controller.run()):
        await asyncio.sleep(5)
        assert len(working) == 4
        await asyncio.sleep(20)
        assert not working


async def test_a_bug_in_one_reconcile_is_logged_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    """The other keys are looked at all the same."""
    seen: list[str] = []

    async def reconcile(key: ObjectKey) -> None:
        if key.name == "a":
            raise KeyError("oops")
        seen.append(key.name)

    controller = Controller("pods", reconcile, limiter=ExponentialPerItem(60, 60))
    controller.queue.add(ObjectKey("", "a"))
    controller.queue.add(ObjectKey("", "b"))
    with caplog.at_level(logging.DEBUG, "kubewire.client.controller"):
        async with running(controller.run()):
            await asyncio.sleep(1)
    assert seen == ["b"]
    [failure] = [record for record in caplog.records if record.message == "reconcile failed"]
    assert failure.exc_info is not None
    keys = failure.__dict__["kubewire_keys"]
    assert (keys["controller"], keys["key"], keys["failures"], keys["again_seconds"]) == ("pods", "a", 1, 60)
    assert [record.__dict__["kubewire_keys"]["key"] for record in caplog.records if record.message == "reconciled"] == [
        "b"
    ]


async def test_writes_say_what_caused_them() -> None:
    """The server is told the object version with each call of a reconcile."""
    cluster = SimulatedCluster()
    client = cluster.client(user_agent="copier/1.0")
    shared = SharedInformers(client)

    async def copy(key: ObjectKey) -> None:
        copied = ConfigMap()
        copied.metadata.namespace, copied.metadata.name = key
        await client.resource(ConfigMap).create(copied)

    controller = Controller("copier", copy)
    controller.watch(shared.informer(Pod))
    cluster.add(pod("a"))
    async with running(shared.run(), controller.run()):
        await settle()
    assert cluster.calls[-1].path.endswith("/CreateConfigMap")
    assert (cluster.calls[-1].user_agent, cluster.calls[-1].cause) == ("copier/1.0", "Pod/default/a@1")


async def test_the_queue_is_measured_under_the_controllers_name() -> None:
    """As Kubernetes' dashboards expect."""
    registry, looks = Registry(), Looks()
    controller = Controller("replicaset", looks.reconcile, metrics=WorkQueueMetrics(registry))
    controller.queue.add(ObjectKey("", "a"))
    async with running(controller.run()):
        await settle()
    assert b'workqueue_adds_total{name="replicaset"} 1' in registry.render()


async def test_shutting_the_queue_down_ends_the_controller() -> None:
    """After what waited was looked at."""
    looks = Looks()
    controller = Controller("pods", looks.reconcile)
    controller.queue.add(ObjectKey("", "a"))
    controller.queue.shut_down()
    await controller.run()
    assert looks.lines == ["0 a"]
