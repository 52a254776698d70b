"""What a ReplicaSet needs: pods adopted, released, created or deleted. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final

from kubewire.api.apps.v1.replica_set_pb2 import ReplicaSet
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.controller_manager.pods.facts import is_active, is_deleted
from kubewire.controller_manager.pods.ownership import controller_of
from kubewire.controller_manager.replica_set.ranking import to_delete
from kubewire.machinery.selectors import labels as label_selectors

BURST: Final = 500
"""Pods created or deleted in one look, as upstream has it; the next look goes on."""


@dataclass(frozen=True, slots=True)
class Observed:
    """What there is.

    Attributes:
        pods: those it controls, and those of its namespace that nobody controls.
        related: those of all ReplicaSets of its own controller, its own included.
        deleting: uids of pods that were deleted, although they do not say so yet.
    """

    replica_set: ReplicaSet
    pods: Sequence[Pod]
    now: float
    related: Sequence[Pod] = ()
    deleting: AbstractSet[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do, in this order.

    Attributes:
        adopt: pods to take under control.
        release: pods to let go, whose labels are others now.
        create: how many to make.
        delete: pods to delete.
        claimed: the pods that are the ReplicaSet's, those to adopt included.
    """

    adopt: list[Pod] = field(default_factory=list)
    release: list[Pod] = field(default_factory=list)
    create: int = 0
    delete: list[Pod] = field(default_factory=list)
    claimed: list[Pod] = field(default_factory=list)


def plan(observed: Observed) -> Plan:
    """Bring the number of active pods to what the ReplicaSet wants; one that is being deleted is left as it is."""
    made = _claim(observed)
    if is_going(observed.replica_set):
        return made
    active = [pod for pod in made.claimed if is_active(pod) and pod.metadata.uid not in observed.deleting]
    surplus = len(active) - wanted(observed.replica_set)
    if surplus > 0:
        chosen = to_delete(active, observed.related or active, min(surplus, BURST), observed.now)
        return Plan(made.adopt, made.release, 0, chosen, made.claimed)
    return Plan(made.adopt, made.release, min(-surplus, BURST), [], made.claimed)


def wanted(replica_set: ReplicaSet) -> int:
    """How many pods it asks for; 1 where it does not say."""
    spec = replica_set.spec
    return spec.replicas if spec.HasField("replicas") else 1


def is_going(replica_set: ReplicaSet) -> bool:
    """Whether it was asked to go; then its pods are the garbage collector's."""
    return replica_set.metadata.HasField("deletionTimestamp")


def _claim(observed: Observed) -> Plan:
    """Sort pods by whose they are and whose they should be."""
    replica_set, result = observed.replica_set, Plan()
    matches = label_selectors.from_message(replica_set.spec.selector).matches
    going, uid = is_going(replica_set), replica_set.metadata.uid
    for pod in observed.pods:
        controller = controller_of(pod)
        fits = matches(pod.metadata.labels)
        if controller is None:
            if fits and not going and not is_deleted(pod):
                result.adopt.append(pod)
                result.claimed.append(pod)
        elif controller.uid == uid:
            if fits:
                result.claimed.append(pod)
            elif not going:
                result.release.append(pod)
    return result
