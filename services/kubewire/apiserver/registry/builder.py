"""The registry put together from its parts."""

from __future__ import annotations

from kubewire.apiserver.registry.allocation.addresses import DEFAULT_NETWORK, ClusterIPs
from kubewire.apiserver.registry.allocation.ports import NodePorts
from kubewire.apiserver.registry.allocation.services import ServiceAllocation
from kubewire.apiserver.registry.core import Core
from kubewire.apiserver.registry.objects import Registry


def build_objects(core: Core, service_network: str = DEFAULT_NETWORK) -> Registry:
    """`Objects` over `core`; Services get their addresses from `service_network`."""
    services = core.kinds.named("", "v1", "services").resource
    addresses = ClusterIPs(core, service_network)
    core.companions[services] = ServiceAllocation(addresses, NodePorts(core.store, core.random))
    return Registry(core)
