"""Which changes of the cluster can help a pod that a plugin refused: only those have it tried again."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final

from kubewire.scheduler.snapshot.node import NodeInfo


class Change(Enum):
    """A change of the cluster; the values are Kubernetes' names of events."""

    NODE_ADD = "NodeAdd"
    NODE_ALLOCATABLE = "NodeAllocatableChange"
    NODE_LABEL = "NodeLabelChange"
    NODE_DELETE = "NodeDelete"
    NODE_TAINT = "NodeTaintChange"
    POD_ADD = "AssignedPodAdd"
    POD_UPDATE = "AssignedPodUpdate"
    POD_DELETE = "AssignedPodDelete"
    NAMESPACE = "NamespaceUpdate"


_PODS: Final = frozenset((Change.POD_ADD, Change.POD_UPDATE, Change.POD_DELETE))
_ANY_NODE: Final = frozenset((Change.NODE_ADD, Change.NODE_LABEL, Change.NODE_TAINT))

HELPFUL: Final[Mapping[str, frozenset[Change]]] = {
    "NodeUnschedulable": frozenset((Change.NODE_ADD, Change.NODE_TAINT)),
    "NodeName": frozenset((Change.NODE_ADD,)),
    "TaintToleration": frozenset((Change.NODE_ADD, Change.NODE_TAINT)),
    "NodeAffinity": frozenset((Change.NODE_ADD, Change.NODE_LABEL)),
    "NodePorts": frozenset((Change.NODE_ADD, Change.POD_DELETE)),
    "NodeResourcesFit": frozenset((Change.NODE_ADD, Change.NODE_ALLOCATABLE, Change.POD_UPDATE, Change.POD_DELETE)),
    # A node that is gone may have been the domain with the fewest pods.
    "PodTopologySpread": _ANY_NODE | _PODS | {Change.NODE_DELETE},
    "InterPodAffinity": _ANY_NODE | _PODS | {Change.NAMESPACE},
}
"""By the plugin that refused. A pod that no plugin refused (there were no nodes) waits for a node."""


def can_help(refusing: frozenset[str], changes: frozenset[Change]) -> bool:
    """Whether one of the changes may let a pod in that these plugins refused."""
    if not refusing:
        return Change.NODE_ADD in changes
    return any(changes & HELPFUL.get(plugin, frozenset(Change)) for plugin in refusing)


def changes_of_node(before: NodeInfo | None, after: NodeInfo) -> frozenset[Change]:
    """What a new state of a node changes for pods that wait."""
    if before is None:
        return frozenset((Change.NODE_ADD,))
    found = set()
    if before.allocatable != after.allocatable:
        found.add(Change.NODE_ALLOCATABLE)
    if before.labels != after.labels:
        found.add(Change.NODE_LABEL)
    if before.taints != after.taints or before.is_unschedulable != after.is_unschedulable:
        found.add(Change.NODE_TAINT)
    return frozenset(found)
