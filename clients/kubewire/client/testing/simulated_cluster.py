"""A cluster for tests of controllers: a simulated API server, and sight of and faults in what goes on.

    cluster = SimulatedCluster()
    cluster.add(node)
    async with asyncio.TaskGroup() as group:
        group.create_task(controller(cluster.client()).run())
        ...

In virtual time (`testing.virtual_time`) such a test takes milliseconds. What is simulated stands in
`testing.simulated_server`; the simulation passes the suites of transports and of clients.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from random import Random

from kubewire.api.meta.v1.options_pb2 import DeleteOptions
from kubewire.client.client import Client
from kubewire.client.objects import ObjectKey, T
from kubewire.client.resources.kinds import resource_of, typed_kind
from kubewire.client.testing.calls import CallRecord, SimulatedCall
from kubewire.client.testing.link import Link
from kubewire.client.testing.rules import Rules
from kubewire.client.testing.simulated_objects import SimulatedObjects
from kubewire.client.testing.simulated_server import SimulatedServer
from kubewire.client.transport.in_process import InProcessTransport


class SimulatedCluster:
    """Objects in memory behind a simulated API server."""

    def __init__(self, *, wall_clock: Callable[[], float] = time.time, random: Random | None = None) -> None:
        self._rules = Rules(wall_clock, random)
        self._objects = SimulatedObjects(self._rules)
        self._server = SimulatedServer(self._objects)

    def transport(self, link: Link | None = None, *, user_agent: str = "test/1.0") -> InProcessTransport[SimulatedCall]:
        """A client's way to the server; `link` makes trouble on it."""
        return InProcessTransport(self._server, partial(SimulatedCall, link or Link()), user_agent=user_agent)

    def client(self, link: Link | None = None, *, user_agent: str = "test/1.0") -> Client:
        """A client of its own transport."""
        return Client(self.transport(link, user_agent=user_agent))

    @property
    def calls(self) -> Sequence[CallRecord]:
        """Every call that reached the server, in order."""
        return self._server.calls

    def add(self, obj: T) -> T:
        """Put an object there as it is, status included; returns it as stored."""
        stored = _copy(obj)
        self._rules.prepare_create(stored, "")
        self._objects.store(resource_of(type(obj)), stored)
        return stored

    def get(self, kind: type[T], name: str, namespace: str = "") -> T | None:
        """An object as it is now; the caller's own."""
        found = self._objects.shelf(resource_of(kind)).objects.get(ObjectKey(namespace, name))
        return None if found is None else typed_kind(kind).decode(found)

    def all(self, kind: type[T]) -> list[T]:
        """All objects of a kind, by namespace and name."""
        shelf, decode = self._objects.shelf(resource_of(kind)), typed_kind(kind).decode
        return [decode(shelf.objects[key]) for key in sorted(shelf.objects)]

    def put(self, obj: T) -> T:
        """Overwrite an object, whatever its version; status included. Returns it as stored."""
        stored = _copy(obj)
        self._objects.store(resource_of(type(obj)), stored)
        return stored

    def remove(self, kind: type[T], name: str, namespace: str = "") -> None:
        """Delete an object; finalizers hold it as ever.

        Raises:
            StatusError: NotFound.
        """
        self._objects.delete(resource_of(kind), ObjectKey(namespace, name), DeleteOptions())

    def forget_history(self, kind: type[T]) -> None:
        """Lose what happened to a kind until now, as compaction does: watches from before end with Expired."""
        self._objects.shelf(resource_of(kind)).forget(self._objects.revision)


def _copy(obj: T) -> T:
    return typed_kind(type(obj)).decode(obj.SerializeToString())
