"""The controllers in the order in which they start, and the parts of the process.

Each controller is a pure plan beside an edge, in a folder of its own; its name is upstream's, and is that of its loop
in logs and of its queue in metrics.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from kubewire.component.lifecycle import Part, Stage
from kubewire.controller_manager.cluster_role_aggregation import controller as cluster_role_aggregation
from kubewire.controller_manager.context import Context, Loops
from kubewire.controller_manager.endpoint_slice import controller as endpoint_slice
from kubewire.controller_manager.endpoints import controller as endpoints
from kubewire.controller_manager.garbage import controller as garbage
from kubewire.controller_manager.namespace import controller as namespace
from kubewire.controller_manager.node_ipam import controller as node_ipam
from kubewire.controller_manager.node_lifecycle import controller as node_lifecycle
from kubewire.controller_manager.pod_gc import controller as pod_gc
from kubewire.controller_manager.replica_set import controller as replica_set
from kubewire.controller_manager.root_ca import controller as root_ca
from kubewire.controller_manager.service_account import controller as service_account
from kubewire.controller_manager.taint_eviction import controller as taint_eviction

if TYPE_CHECKING:
    from kubewire.controller_manager.app import ControllerManager


class Entry(NamedTuple):
    """One controller: how it is called, and how it is made for a term of leadership."""

    name: str
    make: Callable[[Context], Loops]


CONTROLLERS: Final = (
    Entry(namespace.NAME, namespace.NamespaceController),
    Entry(service_account.NAME, service_account.make),
    Entry(root_ca.NAME, root_ca.make),
    Entry(cluster_role_aggregation.NAME, cluster_role_aggregation.ClusterRoleAggregator),
    Entry(endpoint_slice.NAME, endpoint_slice.EndpointSliceController),
    Entry(endpoints.NAME, endpoints.EndpointsController),
    Entry(replica_set.NAME, replica_set.ReplicaSetController),
    Entry(node_ipam.NAME, node_ipam.NodeIpamController),
    Entry(node_lifecycle.NAME, node_lifecycle.NodeLifecycleController),
    Entry(taint_eviction.NAME, taint_eviction.TaintEvictionController),
    Entry(pod_gc.NAME, pod_gc.PodGarbageCollector),
    Entry(garbage.NAME, garbage.GarbageCollector),
)


def stages(manager: ControllerManager) -> tuple[Stage, ...]:
    """The faces first, so that health can be asked while we wait for the lead."""
    return (
        Stage("faces", (Part("rpc", manager.run_rpc), Part("probes", manager.run_probes))),
        Stage("work", (Part("election", manager.run_election), Part("events", manager.run_events))),
        Stage("upkeep", (Part("health", manager.run_health), Part("watchdog", manager.run_watchdog))),
    )
