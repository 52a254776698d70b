"""Gets what a container's variables are made from, and makes them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.api.core.v1.service_pb2 import Service
from kubewire.client.informer.informer import Informer
from kubewire.kubelet.contracts import Objects, Services
from kubewire.kubelet.environment.containers import container_of
from kubewire.kubelet.environment.named import fetch, named_by
from kubewire.kubelet.environment.pod_fields import Addresses
from kubewire.kubelet.environment.resource_fields import Amounts
from kubewire.kubelet.environment.service_links import service_variables
from kubewire.kubelet.environment.variables import Facts, resolve
from kubewire.kubelet.errors import ContainerConfigError

SERVICES_WAIT_SECONDS: Final = 5.0
"""Right after the start Services come within this time; later only when the API server is away."""


class InformedServices:
    """Services as an informer knows them (`contracts.Services`)."""

    def __init__(self, informer: Informer[Service]) -> None:
        self._informer = informer

    async def wait_synced(self) -> None:
        """Return when they are known."""
        await self._informer.wait_synced()

    def in_namespace(self, namespace: str) -> Sequence[Service]:
        """Those of a namespace."""
        return self._informer.cache.list(namespace)


class ContainerEnvironment:
    """Variables of the containers of this node's pods (`contracts.Environment`).

    `allocatable` is what the node has for pods, as its status says.
    """

    def __init__(self, objects: Objects, services: Services, allocatable: Callable[[], Amounts]) -> None:
        self._objects = objects
        self._services = services
        self._allocatable = allocatable

    async def variables(
        self, pod: Pod, container: str, pod_ips: Sequence[str], host_ip: str
    ) -> Sequence[tuple[str, str]]:
        """All variables, each name once.

        Raises:
            ContainerConfigError: which object or key is missing, or that Services are not known yet.
        """
        spec = container_of(pod, container)
        await self._wait_for_services()
        facts = Facts(
            pod,
            await fetch(self._objects, pod.metadata.namespace, set(named_by(spec))),
            Addresses(pod_ips, (host_ip,) if host_ip else ()),
            self._allocatable(),
            service_variables(pod, self._services),
        )
        return list(resolve(spec, facts).items())

    async def _wait_for_services(self) -> None:
        """Containers never start without the variables of Services: they could not get them later."""
        try:
            async with asyncio.timeout(SERVICES_WAIT_SECONDS):
                await self._services.wait_synced()
        except TimeoutError:
            raise ContainerConfigError(
                "Services have not been read from the API server yet, which variables are made from"
            ) from None
