"""Registers the node, says that it lives (a Lease), and how it is (its status)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Final

from kubewire.api.coordination.v1.lease_pb2 import Lease
from kubewire.api.core.v1.node_pb2 import Node
from kubewire.client.backoff import Backoff
from kubewire.client.client import Client
from kubewire.client.informer.cache import copy_of
from kubewire.component.log import Logger
from kubewire.kubelet.config import KubeletConfig
from kubewire.kubelet.errors import RuntimeCallError
from kubewire.kubelet.node.machine import Machine, Room
from kubewire.kubelet.node.registration import first_node, labels_of, taints_of, taken_over
from kubewire.kubelet.node.status import NodePicture, allocatable, is_news, merged, node_status
from kubewire.kubelet.pods.workers import NodeView
from kubewire.kubelet.runtime.contracts import Condition, Image, Runtime, Version
from kubewire.machinery.errors import Reason, StatusError

_LOG: Final = Logger("kubelet.node")
_RETRY_FIRST_SECONDS: Final = 0.2
_RETRY_LIMIT_SECONDS: Final = 7.0
_UNREADY_SECONDS: Final = 0.25
"""A node that is not ready is looked at this often: what it waits for comes within seconds of a start."""
_LEASES: Final = "kube-node-lease"
_LEASE_PARTS: Final = 4
_CALL_SECONDS: Final = 10.0


class NodeReporter:
    """Make it inside a running loop; run its parts in a TaskGroup.

    Attributes:
        is_registered: set once the API server knows the node.
    """

    def __init__(
        self,
        config: KubeletConfig,
        client: Client,
        runtime: Runtime,
        view: NodeView,
        machine: Machine,
        read_room: Callable[[], Room],
    ) -> None:
        self.is_registered: Final = asyncio.Event()
        self.name = ""
        self.address = ""
        self.port = 0
        self.is_ready = False
        self._config = config
        self._nodes = client.resource(Node).with_timeout(_CALL_SECONDS)
        self._leases = client.resource(Lease, namespace=_LEASES).with_timeout(_CALL_SECONDS)
        self._runtime = runtime
        self._view = view
        self._machine = machine
        self._read_room = read_room
        self._version = Version("containerd" if config.runtime == "cri" else "simulated", "")
        self._asked = asyncio.Event()
        self._is_lost = False
        self._reported_at = -1e9
        view.allocatable = allocatable(config, machine, read_room().disk_total_bytes)

    def look(self) -> None:
        """Look at the node's status soon."""
        self._asked.set()

    def seen(self, node: Node) -> None:
        """The watch told of the node."""
        self._view.node = node

    def lost(self, _: Node) -> None:
        """Somebody deleted the node: who runs pods is one, and registers again."""
        self._is_lost = True
        self.look()

    @property
    def version(self) -> Version:
        """Which runtime it is, as last asked."""
        return self._version

    async def register(self) -> None:
        """Have the API server know the node; tries until it does."""
        labels = labels_of(self._config, self.name, self._machine.architecture)
        backoff = Backoff(_RETRY_FIRST_SECONDS, _RETRY_LIMIT_SECONDS)
        while True:
            try:
                self._view.node = await self._registered(labels)
            except StatusError as error:
                _LOG.warning("the node is not registered yet", why=error)
                await asyncio.sleep(backoff.next())
            else:
                break
        _LOG.info("node registered", node=self.name)
        self.is_registered.set()

    async def run_status(self) -> None:
        """Keep the status up to date until cancelled."""
        await self.is_registered.wait()
        while True:
            try:
                await self._report()
            except StatusError as error:
                _LOG.warning("the node's status is not written", why=error)
            await self._wait(self._config.node_status_update_seconds if self.is_ready else _UNREADY_SECONDS)

    async def run_lease(self) -> None:
        """Renew the Lease until cancelled."""
        await self.is_registered.wait()
        lease: Lease | None = None
        while True:
            seconds = self._config.node_lease_seconds / _LEASE_PARTS
            try:
                lease = await self._renewed(lease)
            except StatusError as error:
                _LOG.info("the node's lease is not renewed", why=error)
                lease, seconds = None, min(seconds, 1.0)
            await asyncio.sleep(seconds)

    async def picture(self) -> NodePicture:
        """What the status is made of, now."""
        failure = ""
        conditions: Sequence[Condition] = ()
        images: Sequence[Image] = ()
        try:
            if not self._version.version:
                self._version = await self._runtime.version()
            conditions, images = await self._runtime.conditions(), await self._runtime.images()
        except RuntimeCallError as error:
            failure = str(error)
        return NodePicture(
            self._machine,
            self._read_room(),
            self._version,
            conditions,
            images,
            failure,
            self.name,
            self.address,
            self.port,
        )

    # ----------------------------------------------------------------------------------------------------- calls

    async def _registered(self, labels: dict[str, str] | object) -> Node:
        wanted = first_node(
            self.name,
            labels,  # type: ignore[arg-type]
            taints_of(self._config),
            is_simulated=self._runtime.is_simulated,
        )
        try:
            return await self._nodes.create(wanted)
        except StatusError as error:
            if error.reason != Reason.ALREADY_EXISTS:
                raise
        found = await self._nodes.get(self.name)
        changed = taken_over(found, wanted.metadata.labels)
        return found if changed is None else await self._nodes.update(changed)

    async def _report(self) -> None:
        """Write the status if it is news, or if it is long ago that it was written."""
        if self._is_lost:
            self._is_lost = False
            await self.register()
        wanted = node_status(self._config, await self.picture())
        self.is_ready = wanted.conditions[-1].status == "True"
        now = time.time()
        is_due = time.monotonic() - self._reported_at >= self._config.node_status_report_seconds
        base = self._view.node
        if not is_due and not is_news(base.status, merged(base, wanted, now)):
            return
        try:
            stored = await self._nodes.update_status(_with_status(base, merged(base, wanted, now)))
        except StatusError as error:
            if error.reason == Reason.NOT_FOUND:
                await self.register()
            elif error.reason != Reason.CONFLICT:
                raise
            base = await self._nodes.get(self.name)
            stored = await self._nodes.update_status(_with_status(base, merged(base, wanted, now)))
        self._view.node = stored
        self._reported_at = time.monotonic()

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._asked.wait()
        except TimeoutError:
            pass
        self._asked.clear()

    async def _renewed(self, lease: Lease | None) -> Lease:
        if lease is None:
            try:
                lease = await self._leases.get(self.name)
            except StatusError as error:
                if error.reason != Reason.NOT_FOUND:
                    raise
                return await self._leases.create(self._stamped(self._first_lease()))
        return await self._leases.update(self._stamped(copy_of(lease)))

    def _first_lease(self) -> Lease:
        lease = Lease()
        lease.metadata.name, lease.metadata.namespace = self.name, _LEASES
        node = self._view.node.metadata
        lease.metadata.ownerReferences.add(apiVersion="v1", kind="Node", name=node.name, uid=node.uid)
        return lease

    def _stamped(self, lease: Lease) -> Lease:
        lease.spec.holderIdentity = self.name
        lease.spec.leaseDurationSeconds = self._config.node_lease_seconds
        seconds, rest = divmod(time.time_ns() // 1000, 1_000_000)
        lease.spec.renewTime.seconds, lease.spec.renewTime.nanos = seconds, rest * 1000
        return lease


def _with_status(base: Node, status: object) -> Node:
    node = copy_of(base)
    node.status.CopyFrom(status)  # type: ignore[arg-type]
    return node
