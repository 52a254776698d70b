"""Cluster IPs: an address belongs to the Service that its IPAddress object names."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from typing import TYPE_CHECKING, Final

from kubewire.api.networking.v1.ip_address_pb2 import IPAddress
from kubewire.apiserver.contracts import Body, Call, Encoding, Identity
from kubewire.apiserver.options import DeleteOptions, WriteOptions
from kubewire.apiserver.registry.creates import create
from kubewire.apiserver.registry.deletes import delete
from kubewire.machinery.errors import Reason, StatusError

if TYPE_CHECKING:
    from kubewire.apiserver.registry.core import Core

DEFAULT_NETWORK: Final = "10.96.0.0/16"
MANAGED_BY: Final = "ipallocator.k8s.io"
_ITSELF: Final = Identity("system:apiserver", groups=("system:masters",))
_USER_AGENT: Final = "kube-apiserver"
_SMALLEST_BAND, _LARGEST_BAND, _BAND_SHARE = 16, 256, 16
_TRIES: Final = 1024
"""Addresses tried at random before the network counts as full; the cache tells of most that are taken."""


class AddressNotToBeHad(ValueError):
    """The address asked for belongs to another Service, or is none of those that are given out."""


class AddressesExhausted(RuntimeError):
    """No address is left."""


class ClusterIPs:
    """Takes and gives back addresses of one network; the lowest are given out last, as people choose among them."""

    def __init__(self, core: Core, network: str = DEFAULT_NETWORK) -> None:
        self._core = core
        self.network: Final = IPv4Network(network)
        self._size = self.network.num_addresses
        self._band = min(max(_SMALLEST_BAND, self._size // _BAND_SHARE), _LARGEST_BAND, self._size - 2)

    @property
    def first(self) -> str:
        """The address of the API server's own Service."""
        return str(self.network[1])

    async def take(self, address: str, namespace: str, service: str, *, dry_run: bool = False) -> None:
        """Take one address. Raises AddressNotToBeHad, StatusError."""
        parsed = IPv4Address(address)
        if parsed not in self.network or parsed in (self.network[0], self.network[-1]):
            raise AddressNotToBeHad(
                f"the provided IP ({address}) is not in the valid range. The range of valid IPs is {self.network}"
            )
        if not await self._try(address, namespace, service, dry_run=dry_run):
            raise AddressNotToBeHad("provided IP is already allocated")

    async def take_any(self, namespace: str, service: str, *, dry_run: bool = False) -> str:
        """Take some free address. Raises AddressesExhausted, StatusError."""
        random = self._core.random
        for attempt in range(_TRIES):
            low = self._band if attempt < _TRIES // 2 else 0
            address = str(self.network[1 + random.randrange(low, self._size - 2)])
            if await self._try(address, namespace, service, dry_run=dry_run):
                return address
        raise AddressesExhausted("failed to allocate a serviceIP: range is full")

    async def give_back(self, address: str) -> None:
        """Free an address; one that is free already stays so. Raises StatusError."""
        try:
            await delete(self._core, self._call(address), DeleteOptions())
        except StatusError as error:
            if error.reason != Reason.NOT_FOUND:
                raise

    async def _try(self, address: str, namespace: str, service: str, *, dry_run: bool) -> bool:
        call = self._call(address)
        kind = self._core.kinds.of(call.resource)
        if self._core.cache.of(kind.kept).peek("", address) is not None:
            return False
        body = Body(_object(address, namespace, service).SerializeToString(), Encoding.PROTOBUF)
        try:
            await create(self._core, call, body, WriteOptions(dry_run=dry_run))
        except StatusError as error:
            if error.reason != Reason.ALREADY_EXISTS:
                raise
            return False
        return True

    def _call(self, address: str) -> Call:
        kind = self._core.kinds.named("networking.k8s.io", "v1", "ipaddresses")
        now = self._core.clock()
        return Call(_ITSELF, kind.resource, name=address, user_agent=_USER_AGENT, received_seconds=now)


def _object(address: str, namespace: str, service: str) -> IPAddress:
    made = IPAddress()
    made.metadata.name = address
    made.metadata.labels["ipaddress.kubernetes.io/managed-by"] = MANAGED_BY
    made.metadata.labels["ipaddress.kubernetes.io/ip-family"] = "IPv4"
    parent = made.spec.parentRef
    parent.group, parent.resource, parent.namespace, parent.name = "", "services", namespace, service
    return made
