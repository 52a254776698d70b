"""EventRecorder: what happened is written beside the work, and a server in trouble costs memory of a known size."""

import asyncio

from kubewire.api.core.v1.event_pb2 import Event
from kubewire.api.core.v1.node_pb2 import Node
from kubewire.client.events.recorder import BATCH_AT_MOST, QUEUE_AT_MOST, EventRecorder
from kubewire.client.testing.link import Link
from kubewire.client.testing.simulated_cluster import SimulatedCluster
from kubewire.machinery.errors import forbidden
from kubewire.machinery.gvk import GroupResource
from tests.unit.client.objects import pod
from tests.unit.client.running import running

START = 1_700_000_000.0


def recorder(cluster: SimulatedCluster, link: Link | None = None) -> EventRecorder:
    """A recorder whose wall clock follows the loop's."""
    loop = asyncio.get_running_loop()
    return EventRecorder(cluster.client(link), "kubelet", "n1", wall_clock=lambda: START + loop.time())


async def test_an_event_is_written() -> None:
    """Its fields are those Kubernetes' recorders set."""
    cluster = SimulatedCluster()
    events, web = recorder(cluster), cluster.add(pod("web"))
    async with running(events.run()):
        events.normal(web, "Pulled", "image is present")
        await events.flush()
    [event] = cluster.all(Event)
    assert event.metadata.name.startswith("web.")
    assert event.metadata.namespace == "default"
    assert event.involvedObject.kind == "Pod"
    assert event.involvedObject.uid == web.metadata.uid
    assert event.involvedObject.resourceVersion == web.metadata.resourceVersion
    assert (event.type, event.reason, event.message, event.count) == ("Normal", "Pulled", "image is present", 1)
    assert (event.source.component, event.source.host) == ("kubelet", "n1")
    assert (event.reportingComponent, event.reportingInstance) == ("kubelet", "n1")
    assert event.firstTimestamp.seconds == event.lastTimestamp.seconds == int(START)


async def test_a_burst_is_one_call() -> None:
    """Events of many objects travel together; of one object and message, only the count does."""
    cluster, link = SimulatedCluster(), Link(latency_seconds=1)
    events = recorder(cluster, link)
    for number in range(BATCH_AT_MOST):
        events.normal(pod(f"p{number // 10}"), "Pulled", "image is present")
        events.normal(pod(f"p{number}"), "Pulled", "image is present")
    async with running(events.run()):
        began = asyncio.get_running_loop().time()
        await events.flush()
    assert asyncio.get_running_loop().time() - began == 1
    counts = {event.involvedObject.name: event.count for event in cluster.all(Event)}
    assert counts == {f"p{number}": 11 if number < BATCH_AT_MOST // 10 else 1 for number in range(BATCH_AT_MOST)}


async def test_a_lost_answer() -> None:
    """What was written after all is not written again: the Event kept its name."""
    cluster, link = SimulatedCluster(), Link(loses_answers=True)
    events = recorder(cluster, link)
    async with running(events.run()):
        events.normal(pod("a"), "Pulled", "image is present")
        await asyncio.sleep(3)
        link.loses_answers = False
        await events.flush()
    assert len(cluster.all(Event)) == 1
    assert events.dropped == 0


async def test_the_same_again_is_counted() -> None:
    """One Event, its count and its last time go up."""
    cluster = SimulatedCluster()
    events, web = recorder(cluster), pod("web")
    async with running(events.run()):
        for _ in range(3):
            events.warning(web, "BackOff", "restarting")
            await asyncio.sleep(10)
    [event] = cluster.all(Event)
    assert event.count == 3
    assert event.firstTimestamp.seconds == int(START)
    assert event.lastTimestamp.seconds == int(START) + 20


async def test_many_alike_become_one() -> None:
    """Messages beyond the ninth are combined, and the combined Event shows the last one."""
    cluster = SimulatedCluster()
    events, web = recorder(cluster), pod("web")
    async with running(events.run()):
        for number in range(15):
            events.warning(web, "Failed", f"try {number}")
        await events.flush()
    found = sorted(cluster.all(Event), key=lambda event: event.message)
    assert len(found) == 10
    assert found[0].message == "(combined from similar events): try 14"
    assert found[0].count == 6


async def test_an_expired_event_is_made_anew() -> None:
    """With the count of the whole series."""
    cluster = SimulatedCluster()
    events, web = recorder(cluster), pod("web")
    async with running(events.run()):
        events.warning(web, "BackOff", "restarting")
        await events.flush()
        cluster.remove(Event, cluster.all(Event)[0].metadata.name, "default")
        events.warning(web, "BackOff", "restarting")
        await events.flush()
    [event] = cluster.all(Event)
    assert event.count == 2


async def test_events_of_cluster_scoped_objects() -> None:
    """They stand in the default namespace."""
    cluster, node = SimulatedCluster(), Node()
    node.metadata.name = "n1"
    events = recorder(cluster)
    async with running(events.run()):
        events.normal(node, "Ready", "n1 is ready")
        await events.flush()
    assert cluster.all(Event)[0].metadata.namespace == "default"


async def test_a_server_that_is_away_for_a_while() -> None:
    """What happened meanwhile is written afterwards."""
    cluster, link = SimulatedCluster(), Link()
    events = recorder(cluster, link)
    link.take_down()
    async with running(events.run()):
        for number in range(5):
            events.normal(pod(f"p{number}"), "Pulled", "image is present")
        await asyncio.sleep(30)
        link.is_up = True
        await events.flush()
    assert len(cluster.all(Event)) == 5
    assert events.dropped == 0


async def test_too_many_waiting() -> None:
    """The oldest are dropped and counted."""
    cluster = SimulatedCluster()
    events = recorder(cluster)
    for number in range(QUEUE_AT_MOST + 10):
        events.normal(pod(f"p{number}"), "Pulled", "image is present")
    assert events.dropped == 10
    async with running(events.run()):
        await events.flush()
    names = {event.involvedObject.name for event in cluster.all(Event)}
    assert len(names) == QUEUE_AT_MOST
    assert "p9" not in names


async def test_a_refused_event_is_dropped() -> None:
    """The next ones are written."""
    cluster, link = SimulatedCluster(), Link()
    refusal = forbidden(GroupResource("", "events"), "", "the namespace is being terminated")
    link.refusals += [refusal, refusal]  # of the batch, and of the first by itself
    events = recorder(cluster, link)
    async with running(events.run()):
        events.normal(pod("a"), "Pulled", "image is present")
        events.normal(pod("b"), "Pulled", "image is present")
        await events.flush()
    assert [event.involvedObject.name for event in cluster.all(Event)] == ["b"]
    assert events.dropped == 1


async def test_a_server_that_is_away_for_good() -> None:
    """An event is given up after some minutes."""
    cluster, link = SimulatedCluster(), Link()
    link.take_down()
    events = recorder(cluster, link)
    async with running(events.run()):
        events.normal(pod("a"), "Pulled", "image is present")
        await asyncio.sleep(300)
    assert events.dropped == 1
