"""What a node's silence, and what it says of itself, mean for its conditions and taints. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from kubewire.api.core.v1.node_pb2 import Node, NodeCondition, Taint

READY: Final = "Ready"
UNKNOWN: Final = "Unknown"
_WATCHED: Final = (READY, "MemoryPressure", "DiskPressure", "PIDPressure")
"""Conditions that nobody can know once the node is silent."""

NOT_READY: Final = "node.kubernetes.io/not-ready"
UNREACHABLE: Final = "node.kubernetes.io/unreachable"
UNSCHEDULABLE: Final = "node.kubernetes.io/unschedulable"
_OF_CONDITION: Final = {
    (READY, "False"): NOT_READY,
    (READY, UNKNOWN): UNREACHABLE,
    ("MemoryPressure", "True"): "node.kubernetes.io/memory-pressure",
    ("DiskPressure", "True"): "node.kubernetes.io/disk-pressure",
    ("PIDPressure", "True"): "node.kubernetes.io/pid-pressure",
    ("NetworkUnavailable", "True"): "node.kubernetes.io/network-unavailable",
}
_OURS: Final = frozenset((*_OF_CONDITION.values(), UNSCHEDULABLE))
_SCHEDULE: Final = "NoSchedule"
_EXECUTE: Final = "NoExecute"
_EVICTING: Final = frozenset((NOT_READY, UNREACHABLE))


@dataclass(frozen=True, slots=True)
class Observed:
    """What is known of a node.

    Attributes:
        silent_seconds: since it was last heard of, by its Lease or its status.
        grace_seconds: how long it may be silent.
        is_everyone_silent: no node at all is heard of: then the fault is more likely ours.
    """

    node: Node
    silent_seconds: float
    grace_seconds: float
    now: float
    is_everyone_silent: bool = False


def conditions(observed: Observed) -> list[NodeCondition]:
    """The conditions the node should have: those it has, or Unknown for a silent one."""
    existing = list(observed.node.status.conditions)
    if observed.silent_seconds < observed.grace_seconds:
        return existing
    found = [_unknown(one, observed.now) if one.type in _WATCHED else one for one in existing]
    types = {one.type for one in found}
    return found + [_never(observed, type) for type in _WATCHED if type not in types]


def taints(observed: Observed, now_true: Iterable[NodeCondition]) -> list[Taint]:
    """The taints the node should have: others' as they are, ours by its conditions."""
    wanted = _wanted(observed, now_true)
    kept = [one for one in observed.node.spec.taints if one.key not in _OURS or (one.key, one.effect) in wanted]
    there = {(one.key, one.effect) for one in kept}
    return kept + [_taint(key, effect, observed.now) for key, effect in wanted if (key, effect) not in there]


def is_lost(found: Iterable[NodeCondition]) -> bool:
    """Whether nobody knows if the node is ready."""
    return any(one.type == READY and one.status == UNKNOWN for one in found)


def _wanted(observed: Observed, found: Iterable[NodeCondition]) -> list[tuple[str, str]]:
    wanted: list[tuple[str, str]] = []
    for one in found:
        key = _OF_CONDITION.get((one.type, one.status))
        if key is None:
            continue
        wanted.append((key, _SCHEDULE))
        if key in _EVICTING and not observed.is_everyone_silent:
            wanted.append((key, _EXECUTE))
    if observed.node.spec.unschedulable:
        wanted.append((UNSCHEDULABLE, _SCHEDULE))
    return wanted


def _unknown(one: NodeCondition, now: float) -> NodeCondition:
    if one.status == UNKNOWN:
        return one
    made = NodeCondition()
    made.CopyFrom(one)
    made.status, made.reason = UNKNOWN, "NodeStatusUnknown"
    made.message = "The node renews neither its Lease nor its status any more"
    made.lastTransitionTime.Clear()
    made.lastTransitionTime.seconds = int(now)
    return made


def _never(observed: Observed, type: str) -> NodeCondition:
    made = NodeCondition(type=type, status=UNKNOWN, reason="NodeStatusNeverUpdated")
    made.message = "The node has never told its status"
    made.lastHeartbeatTime.CopyFrom(observed.node.metadata.creationTimestamp)
    made.lastTransitionTime.seconds = int(observed.now)
    return made


def _taint(key: str, effect: str, now: float) -> Taint:
    made = Taint(key=key, effect=effect)
    made.timeAdded.seconds = int(now)
    return made
