"""What a pod says about nodes and other pods, as values that can be compared and remembered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from kubewire.api.core.v1.pod_spec_pb2 import PodSpec
from kubewire.api.core.v1.scheduling_pb2 import (
    NodeSelectorRequirement,
    NodeSelectorTerm,
    PodAffinityTerm,
    TopologySpreadConstraint,
)
from kubewire.machinery.selectors import labels
from kubewire.machinery.selectors.labels import NOTHING, Operator, Requirement, Selector, SelectorError, requirement

FIELD = "field:"
"""Before the name of a field where a label's key could stand: `field:metadata.name`."""

NODE_NAME = f"{FIELD}metadata.name"


class NodeRequirement(NamedTuple):
    """One condition on a node's label or field; operators as in the API (In, NotIn, Exists ...)."""

    key: str
    operator: str
    values: tuple[str, ...]


NodeTerm = tuple[NodeRequirement, ...]
"""Conditions that must all hold; none at all: no node is meant."""


class PreferredNodes(NamedTuple):
    """Nodes that are preferred by so much."""

    term: NodeTerm
    weight: int


class NodeWish(NamedTuple):
    """What a pod wants of nodes: all of `selector`, one of `terms` (None: any node), and rather `preferred`."""

    selector: tuple[tuple[str, str], ...] = ()
    terms: tuple[NodeTerm, ...] | None = None
    preferred: tuple[PreferredNodes, ...] = ()


class Toleration(NamedTuple):
    """Taints that do not keep a pod away; an empty key, value or effect as in the API."""

    key: str
    operator: str
    value: str
    effect: str

    def tolerates(self, key: str, value: str, effect: str) -> bool:
        """Whether a taint is meant."""
        if (self.effect and self.effect != effect) or (self.key and self.key != key):
            return False
        return self.operator == "Exists" or (self.operator in {"", "Equal"} and self.value == value)


class PodSelector(NamedTuple):
    """Which pods are meant: of some namespaces, listed or (`namespace_selector`) chosen by labels, and by labels."""

    namespaces: frozenset[str]
    selector: Selector
    namespace_selector: Selector = NOTHING


class PodTerm(NamedTuple):
    """Pods that a pod wants in its own topology domain, or not."""

    pods: PodSelector
    topology_key: str


class WeightedTerm(NamedTuple):
    """Pods that are wanted (`weight` over 0) or not (under 0) by so much."""

    term: PodTerm
    weight: int


class PodWish(NamedTuple):
    """What a pod wants of other pods in its domain."""

    affinity: tuple[PodTerm, ...] = ()
    anti_affinity: tuple[PodTerm, ...] = ()
    preferred: tuple[WeightedTerm, ...] = ()


class Spread(NamedTuple):
    """Pods alike are to be spread over the domains of a key, at most `max_skew` more in one than in another."""

    topology_key: str
    max_skew: int
    is_hard: bool
    selector: Selector
    min_domains: int = 0
    honors_node_wish: bool = True
    honors_taints: bool = False


def node_wish(spec: PodSpec) -> NodeWish:
    """From a pod's node selector and node affinity."""
    affinity = spec.affinity.nodeAffinity
    required = affinity.requiredDuringSchedulingIgnoredDuringExecution
    has_required = spec.HasField("affinity") and affinity.HasField("requiredDuringSchedulingIgnoredDuringExecution")
    return NodeWish(
        tuple(sorted(spec.nodeSelector.items())),
        tuple(_node_term(term) for term in required.nodeSelectorTerms) if has_required else None,
        tuple(
            PreferredNodes(_node_term(one.preference), one.weight)
            for one in affinity.preferredDuringSchedulingIgnoredDuringExecution
        ),
    )


def tolerations(spec: PodSpec) -> tuple[Toleration, ...]:
    """A pod's tolerations."""
    return tuple(Toleration(one.key, one.operator, one.value, one.effect) for one in spec.tolerations)


def pod_wish(spec: PodSpec, namespace: str, own: dict[str, str]) -> PodWish:
    """From a pod's affinity and anti-affinity; `own` are its labels, which matchLabelKeys takes values from."""
    if not spec.HasField("affinity"):
        return PodWish()
    near, far = spec.affinity.podAffinity, spec.affinity.podAntiAffinity
    preferred = [
        WeightedTerm(_pod_term(one.podAffinityTerm, namespace, own), sign * one.weight)
        for side, sign in ((near, 1), (far, -1))
        for one in side.preferredDuringSchedulingIgnoredDuringExecution
    ]
    return PodWish(
        _pod_terms(near.requiredDuringSchedulingIgnoredDuringExecution, namespace, own),
        _pod_terms(far.requiredDuringSchedulingIgnoredDuringExecution, namespace, own),
        tuple(preferred),
    )


def spreads(spec: PodSpec, own: dict[str, str]) -> tuple[Spread, ...]:
    """A pod's topology spread constraints."""
    return tuple(_spread(one, own) for one in spec.topologySpreadConstraints)


def _node_term(term: NodeSelectorTerm) -> NodeTerm:
    by_label = [_node_requirement(one, "") for one in term.matchExpressions]
    return (*by_label, *(_node_requirement(one, FIELD) for one in term.matchFields))


def _node_requirement(one: NodeSelectorRequirement, prefix: str) -> NodeRequirement:
    return NodeRequirement(prefix + one.key, one.operator, tuple(one.values))


def _pod_terms(terms: Iterable[PodAffinityTerm], namespace: str, own: dict[str, str]) -> tuple[PodTerm, ...]:
    return tuple(_pod_term(term, namespace, own) for term in terms)


def _pod_term(term: PodAffinityTerm, namespace: str, own: dict[str, str]) -> PodTerm:
    has_selector = term.HasField("namespaceSelector")
    named = frozenset(term.namespaces) if term.namespaces or has_selector else frozenset((namespace,))
    selector = _selector(term.labelSelector if term.HasField("labelSelector") else None)
    selector = _with_keys(selector, own, term.matchLabelKeys, Operator.IN)
    selector = _with_keys(selector, own, term.mismatchLabelKeys, Operator.NOT_IN)
    chosen = _selector(term.namespaceSelector if has_selector else None)
    return PodTerm(PodSelector(named, selector, chosen), term.topologyKey)


def _spread(one: TopologySpreadConstraint, own: dict[str, str]) -> Spread:
    selector = _selector(one.labelSelector if one.HasField("labelSelector") else None)
    return Spread(
        one.topologyKey,
        one.maxSkew,
        one.whenUnsatisfiable != "ScheduleAnyway",
        _with_keys(selector, own, one.matchLabelKeys, Operator.IN),
        one.minDomains,
        one.nodeAffinityPolicy != "Ignore",
        one.nodeTaintsPolicy == "Honor",
    )


def _selector(message: labels.LabelSelectorMessage | None) -> Selector:
    """What cannot be understood selects nothing: the API server lets none through."""
    try:
        return labels.from_message(message)
    except SelectorError:
        return NOTHING


def _with_keys(selector: Selector, own: dict[str, str], keys: Sequence[str], operator: Operator) -> Selector:
    """A selector that asks for the pod's own values of some labels as well. Doing it twice changes nothing."""
    wanted = [requirement(key, operator, (own[key],)) for key in keys if key in own]
    if not wanted or selector is NOTHING:
        return selector
    asked: dict[Requirement, None] = dict.fromkeys((*selector.requirements, *wanted))
    return Selector(asked)
