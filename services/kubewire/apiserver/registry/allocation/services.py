"""What a Service is given when it is written, and gives back when it no longer needs it."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, cast

from kubewire.apiserver.registry.allocation.addresses import AddressesExhausted, AddressNotToBeHad, ClusterIPs
from kubewire.apiserver.registry.allocation.families import HEADLESS, SPEC, complete_families
from kubewire.apiserver.registry.allocation.ports import NodePorts, PortNotToBeHad, PortsExhausted
from kubewire.apiserver.registry.storage_failures import status_of
from kubewire.apiserver.storage.errors import StorageError
from kubewire.apiserver.strategy.services import needs_cluster_ip, needs_health_check_port, needs_node_ports
from kubewire.machinery import errors, field_errors
from kubewire.machinery.errors import StatusError
from kubewire.machinery.gvk import GroupKind, GroupResource

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from kubewire.api.core.v1.service_pb2 import Service
    from kubewire.machinery.field_errors import FieldError
    from kubewire.machinery.field_path import Path

log = logging.getLogger(__name__)

_KIND: Final = GroupKind("", "Service")
_RESOURCE: Final = GroupResource("", "services")


@dataclass(slots=True)
class Taken:
    """Addresses and ports."""

    addresses: set[str] = field(default_factory=set)
    ports: set[int] = field(default_factory=set)

    def without(self, other: Taken) -> Taken:
        """What is not in the other."""
        return Taken(self.addresses - other.addresses, self.ports - other.ports)


class ServiceAllocation:
    """Implements `Companion` for Services."""

    def __init__(self, addresses: ClusterIPs, ports: NodePorts) -> None:
        self._addresses = addresses
        self._ports = ports

    async def reserve(self, new: Message, old: Message | None, *, dry_run: bool) -> Taken:
        """Take what `new` needs beyond what `old` has, and write it into `new`.

        Raises:
            StatusError: 422, what it asks for cannot be had; 500, nothing is left. Then nothing stays taken.
        """
        pools = (self._addresses, self._ports)
        reservation = _Reservation(cast("Service", new), held_by(cast("Service | None", old)), *pools, dry_run)
        try:
            await reservation.run()
        except BaseException:
            await self.give_back(reservation.taken)
            raise
        return reservation.taken

    async def settle(self, new: Message | None, old: Message | None) -> None:
        """Give back what `old` held and `new` (None: it is gone) does not."""
        after = held_by(cast("Service | None", new))
        await self.give_back(held_by(cast("Service | None", old)).without(after))

    async def give_back(self, taken: Taken) -> None:
        """Free what was taken. After a failure it stays taken, which wastes it and harms nobody."""
        try:
            for address in taken.addresses:
                await self._addresses.give_back(address)
            await self._ports.give_back(taken.ports)
        except (StatusError, StorageError) as error:
            log.warning(
                "addresses or ports of a Service stay taken",
                extra={"addresses": sorted(taken.addresses), "ports": sorted(taken.ports), "error": str(error)},
            )


def held_by(service: Service | None) -> Taken:
    """What a stored Service has of the pools."""
    if service is None:
        return Taken()
    spec = service.spec
    addresses = set(spec.clusterIPs) or {spec.clusterIP}
    ports = {port.nodePort for port in spec.ports} | {spec.healthCheckNodePort}
    return Taken(addresses - {"", HEADLESS}, ports - {0})


@dataclass(slots=True)
class _Reservation:
    """Takes for one write; `taken` grows as it goes on."""

    service: Service
    held: Taken
    addresses: ClusterIPs
    ports: NodePorts
    dry_run: bool
    taken: Taken = field(default_factory=Taken)

    async def run(self) -> None:
        spec = self.service.spec
        problems = complete_families(spec)
        if not problems and needs_cluster_ip(spec) and spec.clusterIP != HEADLESS:
            problems = await self._take_address()
        if not problems:
            problems = await self._take_ports()
        if problems:
            raise errors.invalid(_KIND, self.service.metadata.name, problems)

    async def _take_address(self) -> list[FieldError]:
        meta, spec = self.service.metadata, self.service.spec
        asked = spec.clusterIP
        if asked in self.held.addresses:
            return []
        try:
            if asked:
                await self.addresses.take(asked, meta.namespace, meta.name, dry_run=self.dry_run)
            else:
                spec.clusterIP = await self.addresses.take_any(meta.namespace, meta.name, dry_run=self.dry_run)
        except AddressNotToBeHad as error:
            why = f"failed to allocate IP {asked}: {error}"
            return [field_errors.invalid(SPEC.child("clusterIPs"), [asked], why)]
        except AddressesExhausted as error:
            raise errors.internal(str(error)) from None
        spec.ClearField("clusterIPs")
        spec.clusterIPs.append(spec.clusterIP)
        if not self.dry_run:
            self.taken.addresses.add(spec.clusterIP)
        return []

    async def _take_ports(self) -> list[FieldError]:
        spec = self.service.spec
        problems: list[FieldError] = []
        if needs_node_ports(spec):
            of_port: dict[int, int] = {}  # one port number under several protocols is one node port
            for position, port in enumerate(spec.ports):
                asked = port.nodePort or of_port.get(port.port, 0)
                path = SPEC.child("ports").index(position).child("nodePort")
                port.nodePort = await self._take_port(path, asked, problems)
                of_port.setdefault(port.port, port.nodePort)
        if needs_health_check_port(spec):
            path = SPEC.child("healthCheckNodePort")
            spec.healthCheckNodePort = await self._take_port(path, spec.healthCheckNodePort, problems)
        return problems

    async def _take_port(self, path: Path, asked: int, problems: list[FieldError]) -> int:
        if asked and (asked in self.held.ports or asked in self.taken.ports):
            return asked
        try:
            if self.dry_run:
                return asked or await self.ports.peek_any()
            port = asked or await self.ports.take_any()
            if asked:
                await self.ports.take(asked)
        except PortNotToBeHad as error:
            problems.append(field_errors.invalid(path, asked, str(error)))
            return asked
        except PortsExhausted as error:
            raise errors.internal(str(error)) from None
        except StorageError as error:
            raise status_of(error, _RESOURCE, self.service.metadata.name, "update") from None
        self.taken.ports.add(port)
        return port
