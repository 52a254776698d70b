"""`kubewire.controller_manager.v1.ControllerManagerService`: controllers, queues, leader."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Final, Protocol

from kubewire.client.controller import Controller as Loop
from kubewire.component.grpc.server import Methods, serves
from kubewire.controller_manager import table
from kubewire.controller_manager.context import Loops
from kubewire.controller_manager.v1.controller_manager_service_pb2 import (
    Controller,
    GetLeaderRequest,
    GetLeaderResponse,
    GetQueueRequest,
    GetQueueResponse,
    ListControllersRequest,
    ListControllersResponse,
    Queue,
)
from kubewire.machinery import errors
from kubewire.machinery.gvk import GroupResource

_KEYS_AT_MOST: Final = 1000
_QUEUES: Final = GroupResource("kubewire", "queues")


class Manager(Protocol):
    """What is told about."""

    @property
    def identity(self) -> str:
        """Who it is among candidates."""
        ...

    @property
    def leader(self) -> str:
        """Who leads."""
        ...

    @property
    def lease(self) -> str:
        """`namespace/name` of the Lease."""
        ...

    @property
    def working(self) -> Mapping[str, Loops]:
        """The controllers at work by name."""
        ...

    def wanted(self) -> Sequence[table.Entry]:
        """The controllers the configuration asks for."""
        ...


class ControllerManagerService:
    """Fills `component.grpc.server.Service`."""

    name: Final = "kubewire.controller_manager.v1.ControllerManagerService"
    module: Final = "kubewire.controller_manager.v1.controller_manager_service_pb2"

    def __init__(self, manager: Manager) -> None:
        self._manager = manager

    @property
    def methods(self) -> Methods:
        """By name."""
        return {
            "ListControllers": serves(ListControllersRequest, self.list_controllers),
            "GetQueue": serves(GetQueueRequest, self.get_queue),
            "GetLeader": serves(GetLeaderRequest, self.get_leader),
        }

    async def list_controllers(self, _: ListControllersRequest) -> ListControllersResponse:
        """All of the table."""
        enabled = {entry.name for entry in self._manager.wanted()}
        working = self._manager.working
        return ListControllersResponse(
            controllers=[
                Controller(
                    name=entry.name,
                    enabled=entry.name in enabled,
                    running=entry.name in working,
                    queues=[_told(loop) for loop in _loops(working, entry.name)],
                )
                for entry in table.CONTROLLERS
            ]
        )

    async def get_queue(self, request: GetQueueRequest) -> GetQueueResponse:
        """The keys of one loop.

        Raises:
            StatusError: NotFound.
        """
        working = self._manager.working
        for name in working:
            for loop in _loops(working, name):
                if loop.name == request.name:
                    waiting = [str(key) for key in islice(loop.queue.waiting, _KEYS_AT_MOST)]
                    return GetQueueResponse(waiting=waiting, processing=sorted(map(str, loop.queue.processing)))
        raise errors.not_found(_QUEUES, request.name)

    async def get_leader(self, _: GetLeaderRequest) -> GetLeaderResponse:
        """As last seen."""
        leader = self._manager.leader
        return GetLeaderResponse(identity=leader, is_self=leader == self._manager.identity, lease=self._manager.lease)


def _loops(working: Mapping[str, Loops], name: str) -> Iterator[Loop]:
    loops = working.get(name)
    if loops is not None:
        yield from loops.controllers


def _told(loop: Loop) -> Queue:
    queue = loop.queue
    return Queue(
        name=loop.name,
        waiting=len(queue),
        processing=len(queue.processing),
        longest_running_seconds=queue.longest_running_seconds(),
    )
