"""One term of leadership: caches, board, loop and those who act, made when the lead is won and ended with it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from random import Random

from kubewire.api.core.v1.namespace_pb2 import Namespace
from kubewire.api.core.v1.node_pb2 import Node
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.client.client import Client
from kubewire.client.events.recorder import EventRecorder
from kubewire.client.informer.informer import Informer, drop_managed_fields
from kubewire.client.informer.shared import SharedInformers
from kubewire.client.leader_election.leadership import Leadership
from kubewire.client.objects import ObjectKey
from kubewire.client.resources.options import Selection
from kubewire.client.transport.transport import Transport
from kubewire.scheduler.acting.binder import Binder, Taken
from kubewire.scheduler.acting.reporter import Reporter
from kubewire.scheduler.config import SchedulerConfig
from kubewire.scheduler.cycle.board import Board
from kubewire.scheduler.cycle.loop import Loop
from kubewire.scheduler.decision.scheduling import Scheduling
from kubewire.scheduler.metrics import SchedulerMetrics
from kubewire.scheduler.queue.queue import QueueTimes
from kubewire.scheduler.table import PLUGINS

UNFINISHED = Selection(field_selector="status.phase!=Succeeded,status.phase!=Failed")
"""Pods that use, or will use, what a node has."""


class Term:
    """Everything a leader needs. Make it inside a running loop.

    Attributes:
        board: what is known.
        scheduling: decides over it.
    """

    def __init__(self, config: SchedulerConfig, metrics: SchedulerMetrics, recorder: EventRecorder) -> None:
        self._config = config
        self._metrics = metrics
        self._recorder = recorder
        self._clock: Callable[[], float] = asyncio.get_running_loop().time
        times = QueueTimes(config.backoff_first_seconds, config.backoff_limit_seconds, config.unschedulable_seconds)
        self.board = Board(config.scheduler_name, times, metrics, self._clock)
        random = Random(config.seed if config.seed >= 0 else None)  # noqa: S311 - spreads load, hides nothing
        self.scheduling = Scheduling(self.board.snapshot, PLUGINS, random)
        self._informers: SharedInformers | None = None
        self._pods: Informer[Pod] | None = None

    @property
    def missing(self) -> list[str]:
        """The kinds whose first state has not come yet."""
        informers = self._informers.informers if self._informers is not None else ()
        return [str(informer.kind) for informer in informers if not informer.has_synced]

    def pod(self, key: ObjectKey) -> Pod | None:
        """A pod as the informer has it."""
        return None if self._pods is None else self._pods.cache.get(key)

    async def run(self, leadership: Leadership, transport: Transport) -> None:
        """Schedule until cancelled, or the term is over.

        Raises:
            NotLeading: the term is over.
        """
        client = Client(leadership.fence(transport))
        informers = self._informers = SharedInformers(client, transform=drop_managed_fields)
        pods = self._pods = informers.informer(Pod, UNFINISHED)
        nodes, namespaces = informers.informer(Node), informers.informer(Namespace)
        nodes.add_handler(self.board.nodes)
        namespaces.add_handler(self.board.namespaces)
        pods.add_handler(self.board.pods)
        clock, config = self._clock, self._config
        loop = Loop(self.board, self.scheduling, self._metrics, clock, assumed_seconds=config.assumed_seconds)
        reporter = Reporter(client, self._recorder, pods.cache.get, time.time)

        def bound(taken: Taken) -> None:
            loop.bound(taken)
            reporter.scheduled(taken.waiting.pod, taken.node_name)

        binder = Binder(client, bound, loop.not_bound)
        async with asyncio.TaskGroup() as group:
            group.create_task(informers.run())
            await informers.wait_synced()
            group.create_task(binder.run())
            group.create_task(reporter.run())
            await loop.run(leadership, binder, reporter)
