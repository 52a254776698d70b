"""A real kubelet is killed and started again: containers do not notice."""

import asyncio

from kubewire.client.client import Client
from kubewire.client.resources.options import Deleting
from tests.containerd_process import DEMO_IMAGE
from tests.integration.kubelet.conftest import Machine
from tests.integration.kubelet.node_pods import gone, is_ready, pod_of, seen, when
from tests.kubelet_process import KubeletProcess

SPEC = f"{{terminationGracePeriodSeconds: 3, containers: [{{name: app, image: '{DEMO_IMAGE}'}}]}}"


async def test_running_containers_are_taken_over(machine: Machine, kubelet: KubeletProcess, client: Client) -> None:
    """The same container under the same id, never restarted; what was deleted or made meanwhile is caught up with."""
    for name in ("stays", "goes"):
        await client.pods().create(pod_of(machine, name, SPEC))
    stays = await when(client, "stays", is_ready)
    goes = await when(client, "goes", is_ready)
    kubelet.kill()
    await client.pods("default").delete("goes", Deleting(grace_period_seconds=0))
    await client.pods().create(pod_of(machine, "comes", SPEC))
    kubelet.start()
    await when(client, "comes", is_ready)
    for _ in range(200):
        if (await seen(machine, goes)).is_empty:
            break
        await asyncio.sleep(0.05)
    assert (await seen(machine, goes)).is_empty
    again = await client.pods("default").get("stays")
    assert again.status.containerStatuses[0] == stays.status.containerStatuses[0]
    for name in ("stays", "comes"):
        await gone(client, name)


async def test_a_kubelet_killed_while_pods_start_leaves_each_with_one_container(
    machine: Machine, kubelet: KubeletProcess, client: Client
) -> None:
    """Whatever the moment of its end, each container runs once in the end."""
    names = [f"start-{number}" for number in range(4)]
    for number, name in enumerate(names):
        await client.pods().create(pod_of(machine, name, SPEC))
        await asyncio.sleep(0.05 * number)
        kubelet.kill()
        kubelet.start()
    for name in names:
        pod = await when(client, name, is_ready)
        found = await seen(machine, pod)
        assert [one.name for one in found.running] == ["app"]
        assert sum(one.is_ready for one in found.sandboxes) == 1
    for name in names:
        await gone(client, name)


async def test_a_containerd_that_is_restarted_keeps_its_containers(
    machine: Machine, kubelet: KubeletProcess, client: Client
) -> None:
    """The kubelet waits for it and goes on; no container is restarted."""
    await client.pods().create(pod_of(machine, "patient", SPEC))
    before = await when(client, "patient", is_ready)
    machine.node.kill()
    await client.pods().create(pod_of(machine, "eager", SPEC))
    await asyncio.sleep(0.5)
    machine.node.start()
    await when(client, "eager", is_ready)
    after = await client.pods("default").get("patient")
    assert after.status.containerStatuses[0].containerID == before.status.containerStatuses[0].containerID
    assert after.status.containerStatuses[0].restartCount == 0
    assert kubelet.process is not None
    assert kubelet.process.poll() is None
    for name in ("patient", "eager"):
        await gone(client, name)
