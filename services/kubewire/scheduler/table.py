"""The scheduler's plugins, in order, with their weights: Kubernetes' names, order and defaults.

A node is looked at by the filters in this order, and the first that refuses it says why. Scores of all plugins are
added up by weight; the feasible node with the highest sum is taken, by chance among equals.
"""

from __future__ import annotations

from typing import Final

from kubewire.scheduler.plugins.contracts import Plugin
from kubewire.scheduler.plugins.images import ImageLocality
from kubewire.scheduler.plugins.neighbours import InterPodAffinity
from kubewire.scheduler.plugins.nodes import NodeAffinity, NodeName, NodeUnschedulable, TaintToleration
from kubewire.scheduler.plugins.ports import NodePorts
from kubewire.scheduler.plugins.resources import NodeResourcesBalancedAllocation, NodeResourcesFit
from kubewire.scheduler.plugins.spread import PodTopologySpread

PLUGINS: Final[tuple[Plugin, ...]] = (
    NodeUnschedulable(),
    NodeName(),
    TaintToleration(weight=3),
    NodeAffinity(weight=2),
    NodePorts(),
    NodeResourcesFit(weight=1),
    PodTopologySpread(weight=2),
    InterPodAffinity(weight=2),
    NodeResourcesBalancedAllocation(weight=1),
    ImageLocality(weight=1),
)
