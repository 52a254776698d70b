"""Runs controllers against the simulated cluster."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import Random

from kubewire.client.events.recorder import EventRecorder
from kubewire.client.informer.shared import SharedInformers
from kubewire.client.testing.link import Link
from kubewire.client.testing.simulated_cluster import SimulatedCluster
from kubewire.component.metrics.registry import Registry
from kubewire.controller_manager.config import ControllerManagerConfig
from kubewire.controller_manager.context import Context, Loops
from kubewire.controller_manager.metrics import ControllerManagerMetrics

EPOCH = 1_700_000_000.0


def now() -> float:
    """The time of day, which goes with the loop's."""
    return EPOCH + asyncio.get_running_loop().time()


def context_of(
    cluster: SimulatedCluster, link: Link | None = None, config: ControllerManagerConfig | None = None
) -> Context:
    """What controllers are made with."""
    client = cluster.client(link)
    return Context(
        client,
        SharedInformers(client),
        EventRecorder(cluster.client(), "test", wall_clock=now),
        config or ControllerManagerConfig(),
        ControllerManagerMetrics(Registry()),
        "the cluster's CA",
        now,
        Random(1),
    )


@asynccontextmanager
async def running(make: Callable[[Context], Loops], context: Context) -> AsyncIterator[Loops]:
    """A controller with its informers, for the time of the block."""
    async with asyncio.TaskGroup() as group:
        loops = make(context)
        tasks = [group.create_task(part) for part in (loops.run(), context.informers.run(), context.recorder.run())]
        yield loops
        for task in tasks:
            task.cancel()
