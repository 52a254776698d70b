"""Which pods to remove without waiting for a node. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.controller_manager.pods.facts import has_ended, is_deleted, seconds_of


@dataclass(frozen=True, slots=True)
class Observed:
    """What there is.

    Attributes:
        gone_nodes: names of nodes that pods are assigned to and that have been missing for long enough.
        ended_at_most: how many ended pods are kept; 0: all.
    """

    pods: Sequence[Pod]
    gone_nodes: AbstractSet[str]
    ended_at_most: int


@dataclass(frozen=True, slots=True)
class Removal:
    """A pod to delete at once, and why: `orphaned`, `unscheduled` or `terminated`."""

    pod: Pod
    reason: str
    is_lost: bool
    """Whether it might have run on: its status has to say that it failed."""


def plan(observed: Observed) -> list[Removal]:
    """The pods to remove, each once."""
    removals = [_removal(pod, observed.gone_nodes) for pod in observed.pods]
    found = [one for one in removals if one is not None]
    chosen = {one.pod.metadata.uid for one in found}
    ended = [pod for pod in observed.pods if has_ended(pod) and pod.metadata.uid not in chosen]
    surplus = len(ended) - observed.ended_at_most if observed.ended_at_most > 0 else 0
    if surplus > 0:
        ended.sort(key=lambda pod: (seconds_of(pod.metadata.creationTimestamp), pod.metadata.name))
        found += [Removal(pod, "terminated", is_lost=False) for pod in ended[:surplus]]
    return found


def missing_nodes(pods: Sequence[Pod], nodes: AbstractSet[str]) -> set[str]:
    """Nodes that pods are assigned to and that are not there."""
    return {pod.spec.nodeName for pod in pods if pod.spec.nodeName} - nodes


def _removal(pod: Pod, gone_nodes: AbstractSet[str]) -> Removal | None:
    if pod.spec.nodeName in gone_nodes:
        return Removal(pod, "orphaned", is_lost=not has_ended(pod))
    if is_deleted(pod) and not pod.spec.nodeName:
        return Removal(pod, "unscheduled", is_lost=False)
    return None
