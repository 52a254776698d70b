"""Pods come and go while their kubelet is killed again and again: in the end all is as it should be."""

import asyncio
import time
from random import Random

import pytest

from kubewire.client.client import Client
from kubewire.client.resources.options import Deleting
from kubewire.kubelet.runtime.cri import CriRuntime
from tests.containerd_process import DEMO_IMAGE
from tests.integration.kubelet.conftest import Machine
from tests.integration.kubelet.node_pods import WAIT_SECONDS, Uncounted, gone, is_ready, left_on_disk, pod_of, when
from tests.kubelet_process import KubeletProcess

SPEC = f"{{terminationGracePeriodSeconds: 1, containers: [{{name: app, image: '{DEMO_IMAGE}'}}]}}"
CHANGES = 40


async def change(random: Random, machine: Machine, client: Client, names: set[str], number: int) -> None:
    """A pod comes, or one goes: politely, at once, or from the record alone."""
    if len(names) < 3 or random.random() < 0.5:
        name = f"churn-{number}"
        await client.pods().create(pod_of(machine, name, SPEC))
        names.add(name)
        return
    name = random.choice(sorted(names))
    names.remove(name)
    await client.pods("default").delete(name, Deleting(grace_period_seconds=random.choice([0, 1, None])))


async def only(machine: Machine, names: set[str]) -> dict[str, list[str]]:
    """What runs on the node, by pod, once nothing else does."""
    runtime = CriRuntime(str(machine.node.socket), Uncounted())
    deadline = time.monotonic() + WAIT_SECONDS
    try:
        while True:
            pods = [await runtime.pod(one.identity) for one in await runtime.list()]
            found = {pod.identity.name: [one.name for one in pod.running] for pod in pods}
            if found.keys() == names or time.monotonic() > deadline:
                return found
            await asyncio.sleep(0.1)
    finally:
        await runtime.close()


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
async def test_all_is_as_it_should_be(machine: Machine, kubelet: KubeletProcess, client: Client, seed: int) -> None:
    """Who should run runs once; of all others nothing is left in the runtime, on the disk, or on record."""
    random, names = Random(seed), set[str]()
    for number in range(CHANGES):
        await change(random, machine, client, names, number + 1000 * seed)
        await asyncio.sleep(random.random() * 0.5)
        if random.random() < 0.3:
            kubelet.kill()
            await asyncio.sleep(random.random() * 0.5)
            await asyncio.to_thread(kubelet.start)
    pods = [await when(client, name, is_ready) for name in sorted(names)]
    assert await only(machine, names) == {name: ["app"] for name in names}
    assert {pod.status.containerStatuses[0].restartCount for pod in pods} <= {0}
    recorded = {pod.metadata.name async for pod in client.pods("default").list()}
    assert recorded == names
    for name in names:
        await gone(client, name)
    assert await only(machine, set()) == {}
    await asyncio.sleep(1)
    assert [path for pod in pods for path in left_on_disk(kubelet.root, pod)] == []
