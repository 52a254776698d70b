"""Binds pods in batches: what is decided while a call is under way goes with the next one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

from kubewire.api.core.v1.binding_pb2 import Binding
from kubewire.client.client import Client
from kubewire.machinery.errors import StatusError
from kubewire.scheduler.queue.queue import Waiting

BATCH_AT_MOST: Final = 250
"""Bindings in one call: a call is answered when its last pod is bound, so larger ones answer later."""

CALLS_AT_MOST: Final = 4
"""Calls under way: more would not make etcd faster."""

WAITING_AT_MOST: Final = 2000
"""Bindings that wait for a call; deciding waits while there are more."""


class Taken(NamedTuple):
    """A pod that was decided about: where it goes, and when it was taken out of the queue."""

    waiting: Waiting
    node_name: str
    taken_at: float


Bound = Callable[[Taken], None]
NotBound = Callable[[Taken, StatusError], None]


class Binder:
    """Make it for one term, with a client that is fenced by it. It tells `bound` or `not_bound` of each pod."""

    def __init__(self, client: Client, bound: Bound, not_bound: NotBound) -> None:
        self._pods = client.pods()
        self._bound = bound
        self._not_bound = not_bound
        self._waiting: deque[Taken] = deque()
        self._arrived = asyncio.Event()
        self._has_room = asyncio.Event()
        self._has_room.set()

    async def submit(self, taken: list[Taken]) -> None:
        """Have pods bound; returns when there is room for more."""
        self._waiting.extend(taken)
        self._arrived.set()
        if len(self._waiting) >= WAITING_AT_MOST:
            self._has_room.clear()
        await self._has_room.wait()

    async def run(self) -> None:
        """Bind until cancelled, or the term is over.

        Raises:
            NotLeading: the term is over.
        """
        async with asyncio.TaskGroup() as group:
            for _ in range(CALLS_AT_MOST):
                group.create_task(self._work())

    async def _work(self) -> None:
        while True:
            while not self._waiting:
                self._arrived.clear()
                await self._arrived.wait()
            batch = [self._waiting.popleft() for _ in range(min(BATCH_AT_MOST, len(self._waiting)))]
            if len(self._waiting) < WAITING_AT_MOST:
                self._has_room.set()
            await self._bind(batch)

    async def _bind(self, batch: list[Taken]) -> None:
        bindings = [binding_of(taken) for taken in batch]
        try:
            outcomes = await self._pods.bind_many(bindings)
        except StatusError as error:
            outcomes = [error] * len(batch)
        for taken, outcome in zip(batch, outcomes, strict=True):
            if outcome is None:
                self._bound(taken)
            else:
                self._not_bound(taken, outcome)


def binding_of(taken: Taken) -> Binding:
    """The message; it holds for the very pod that was decided about, not for another of its name."""
    pod = taken.waiting.pod
    binding = Binding()
    binding.metadata.namespace, binding.metadata.name, binding.metadata.uid = pod.key.namespace, pod.key.name, pod.uid
    binding.target.kind, binding.target.name = "Node", taken.node_name
    return binding
