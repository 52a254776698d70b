"""Placement decided by plain loops over lists: slow, obvious, and what the columns must agree with.

Written from Kubernetes' rules and not from the code under test; nothing is shared with it but the pods and nodes.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from kubewire.scheduler.pods.pod import PodInfo
from kubewire.scheduler.pods.terms import NodeRequirement, NodeWish, PodSelector, PodTerm, Spread
from kubewire.scheduler.snapshot.node import NodeInfo

Refusals = list[str]
_BLOCKING: Final = {"NoSchedule", "NoExecute"}


@dataclass
class Place:
    """A node and its pods."""

    node: NodeInfo
    pods: list[PodInfo] = field(default_factory=list)

    @property
    def labels(self) -> dict[str, str]:
        return dict(self.node.labels)

    def has(self, resource: str) -> int:
        return dict(self.node.allocatable).get(resource, 0)

    def asked(self, resource: str) -> int:
        return sum(pod.shape.requests.asked.get(resource, 0) for pod in self.pods)


def refusals(places: Sequence[Place], place: Place, pod: PodInfo) -> Refusals:
    """Why a node cannot take a pod, by the first filter that refuses it; empty if it can."""
    for refuse in _FILTERS:
        found = refuse(places, place, pod)
        if found:
            return found
    return []


def scores(places: Sequence[Place], pod: PodInfo) -> dict[str, int]:
    """The weighted sum of each feasible node."""
    feasible = [place for place in places if not refusals(places, place, pod)]
    total = {place.node.name: 0 for place in feasible}
    for weight, score in _SCORES:
        for name, value in score(places, feasible, pod).items():
            total[name] += weight * value
    return total


def _cordoned(_: Sequence[Place], place: Place, pod: PodInfo) -> Refusals:
    tolerated = any(
        one.tolerates("node.kubernetes.io/unschedulable", "", "NoSchedule") for one in pod.shape.tolerations
    )
    return ["node(s) were unschedulable"] if place.node.is_unschedulable and not tolerated else []


def _untolerated(place: Place, pod: PodInfo, effects: set[str]) -> int:
    return sum(
        taint.effect in effects and not any(one.tolerates(*taint) for one in pod.shape.tolerations)
        for taint in place.node.taints
    )


def _tainted(_: Sequence[Place], place: Place, pod: PodInfo) -> Refusals:
    return ["node(s) had untolerated taint(s)"] if _untolerated(place, pod, _BLOCKING) else []


def _holds(labels: dict[str, str], requirement: NodeRequirement) -> bool:
    value = labels.get(requirement.key)
    match requirement.operator:
        case "In":
            return value in requirement.values
        case "NotIn":
            return value not in requirement.values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
    raise AssertionError(requirement.operator)


def _is_wanted(wish: NodeWish, labels: dict[str, str]) -> bool:
    if any(labels.get(key) != value for key, value in wish.selector):
        return False
    return wish.terms is None or any(term and all(_holds(labels, one) for one in term) for term in wish.terms)


def _unselected(_: Sequence[Place], place: Place, pod: PodInfo) -> Refusals:
    wanted = _is_wanted(pod.shape.node_wish, place.labels)
    return [] if wanted else ["node(s) didn't match Pod's node affinity/selector"]


def _ports(_: Sequence[Place], place: Place, pod: PodInfo) -> Refusals:
    held = [port for one in place.pods for port in one.shape.ports]
    taken = any(mine.conflicts(other) for mine in pod.shape.ports for other in held)
    return ["node(s) didn't have free ports for the requested pod ports"] if taken else []


def _resources(_: Sequence[Place], place: Place, pod: PodInfo) -> Refusals:
    found = ["Too many pods"] if len(place.pods) >= place.has("pods") else []
    for resource, wanted in pod.shape.requests.asked.items():
        if place.asked(resource) + wanted > place.has(resource):
            found.append(f"Insufficient {resource}")
    return found


def _matching(pods: Sequence[PodInfo], selector: PodSelector) -> list[PodInfo]:
    return [
        pod for pod in pods if pod.key.namespace in selector.namespaces and selector.selector.matches(pod.shape.labels)
    ]


def _in_domain(places: Sequence[Place], place: Place, key: str) -> list[PodInfo]:
    """Pods of all nodes with the same value of a label; none if the node has no value."""
    mine = place.labels.get(key)
    if mine is None:
        return []
    return [pod for other in places if other.labels.get(key) == mine for pod in other.pods]


def _alike(pods: Sequence[PodInfo], pod: PodInfo, spread: Spread) -> int:
    alike = PodSelector(frozenset((pod.key.namespace,)), spread.selector)
    return len(_matching([one for one in pods if not one.is_terminating], alike))


def _spread(places: Sequence[Place], place: Place, pod: PodInfo) -> Refusals:
    hard = [one for one in pod.shape.spreads if one.is_hard]
    keys = {one.topology_key for one in hard}
    counted = [one for one in places if keys <= set(one.labels) and _is_wanted(pod.shape.node_wish, one.labels)]
    for one in hard:
        if one.topology_key not in place.labels:
            return ["node(s) didn't match pod topology spread constraints (missing required label)"]
        domains = {other.labels[one.topology_key] for other in counted}
        pods = {
            domain: sum(_alike(other.pods, pod, one) for other in counted if other.labels[one.topology_key] == domain)
            for domain in domains
        }
        least = min(pods.values(), default=0) if len(domains) >= one.min_domains else 0
        mine = pods.get(place.labels[one.topology_key], 0) + int(one.selector.matches(pod.shape.labels))
        if mine - least > one.max_skew:
            return ["node(s) didn't match pod topology spread constraints"]
    return []


def _neighbours(places: Sequence[Place], place: Place, pod: PodInfo) -> Refusals:
    wish = pod.shape.pod_wish
    everywhere = [one for other in places for one in other.pods]
    if wish.affinity and not _is_near(places, place, pod):
        return ["node(s) didn't match pod affinity rules"]
    if any(_matching(_in_domain(places, place, term.topology_key), term.pods) for term in wish.anti_affinity):
        return ["node(s) didn't match pod anti-affinity rules"]
    assert len({one.key for one in everywhere}) == len(everywhere)
    for other in places:
        for one in other.pods:
            for term in one.shape.pod_wish.anti_affinity:
                if _shares(other, place, term) and _matching([pod], term.pods):
                    return ["node(s) didn't satisfy existing pods anti-affinity rules"]
    return []


def _shares(one: Place, other: Place, term: PodTerm) -> bool:
    mine = one.labels.get(term.topology_key)
    return mine is not None and mine == other.labels.get(term.topology_key)


def _is_near(places: Sequence[Place], place: Place, pod: PodInfo) -> bool:
    terms = pod.shape.pod_wish.affinity
    if any(term.topology_key not in place.labels for term in terms):
        return False

    def meant(pods: Sequence[PodInfo]) -> list[PodInfo]:
        return [one for one in pods if all(_matching([one], term.pods) for term in terms)]

    if all(meant(_in_domain(places, place, term.topology_key)) for term in terms):
        return True
    anywhere = any(meant(other.pods) for other in places if any(term.topology_key in other.labels for term in terms))
    return not anywhere and bool(meant([pod]))


# ------------------------------------------------------------------------------------------------------- scores


def _best_is_100(raw: dict[str, int], *, is_reversed: bool = False) -> dict[str, int]:
    most = max(raw.values(), default=0)
    if not most:
        return dict.fromkeys(raw, 0)
    return {name: 100 - 100 * value // most if is_reversed else 100 * value // most for name, value in raw.items()}


def _welcome(_: Sequence[Place], feasible: Sequence[Place], pod: PodInfo) -> dict[str, int]:
    raw = {place.node.name: _untolerated(place, pod, {"PreferNoSchedule"}) for place in feasible}
    return _best_is_100(raw, is_reversed=True)


def _preferred(_: Sequence[Place], feasible: Sequence[Place], pod: PodInfo) -> dict[str, int]:
    def weight(place: Place) -> int:
        wishes = pod.shape.node_wish.preferred
        return sum(one.weight for one in wishes if one.term and all(_holds(place.labels, part) for part in one.term))

    return _best_is_100({place.node.name: weight(place) for place in feasible})


def _least_allocated(_: Sequence[Place], feasible: Sequence[Place], pod: PodInfo) -> dict[str, int]:
    def score(place: Place) -> int:
        found = []
        for line, resource in enumerate(("cpu", "memory")):
            has = place.has(resource)
            asked = sum(one.shape.requests.counted[line] for one in (*place.pods, pod))
            if has:
                found.append(max(has - asked, 0) * 100 // has)
        return sum(found) // len(found) if found else 0

    return {place.node.name: score(place) for place in feasible}


def _balanced(_: Sequence[Place], feasible: Sequence[Place], pod: PodInfo) -> dict[str, int]:
    wanted = pod.shape.requests.asked
    if not wanted.get("cpu") and not wanted.get("memory"):
        return {}

    def score(place: Place) -> int:
        parts = [
            min((place.asked(resource) + wanted.get(resource, 0)) / place.has(resource), 1.0)
            for resource in ("cpu", "memory")
            if place.has(resource)
        ]
        deviation = abs(parts[0] - parts[1]) / 2 if len(parts) == 2 else 0.0
        return int((1 - deviation) * 100)

    return {place.node.name: score(place) for place in feasible}


def _spreading(places: Sequence[Place], feasible: Sequence[Place], pod: PodInfo) -> dict[str, int]:
    soft = [one for one in pod.shape.spreads if not one.is_hard]
    keys = {one.topology_key for one in soft}
    scored = [place for place in feasible if keys <= set(place.labels)]
    if not soft or not scored:
        return {}
    counted = [one for one in places if keys <= set(one.labels) and _is_wanted(pod.shape.node_wish, one.labels)]

    def cost(place: Place) -> int:
        total = 0.0
        for one in soft:
            mine = place.labels[one.topology_key]
            if one.topology_key == "kubernetes.io/hostname":
                pods, size = _alike(place.pods, pod, one), len(scored)
            else:
                pods = sum(_alike(other.pods, pod, one) for other in counted if other.labels[one.topology_key] == mine)
                size = len({other.labels[one.topology_key] for other in scored})
            total += pods * math.log(size + 2) + (one.max_skew - 1)
        return math.floor(total + 0.5)

    costs = {place.node.name: cost(place) for place in scored}
    most, least = max(costs.values()), min(costs.values())
    return {name: 100 * (most + least - value) // most if most else 100 for name, value in costs.items()}


def _liking(places: Sequence[Place], feasible: Sequence[Place], pod: PodInfo) -> dict[str, int]:
    def sympathy(place: Place) -> int:
        total = 0
        for other in places:
            for one in other.pods:
                for term, weight in pod.shape.pod_wish.preferred:
                    total += weight if _shares(other, place, term) and _matching([one], term.pods) else 0
                theirs = one.shape.pod_wish
                for term, weight in (*theirs.preferred, *((term, 1) for term in theirs.affinity)):
                    total += weight if _shares(other, place, term) and _matching([pod], term.pods) else 0
        return total

    raw = {place.node.name: sympathy(place) for place in feasible}
    most, least = max(raw.values(), default=0), min(raw.values(), default=0)
    if most == least:
        return {}
    return {name: int(100 * (value - least) / (most - least)) for name, value in raw.items()}


def _images(places: Sequence[Place], feasible: Sequence[Place], pod: PodInfo) -> dict[str, int]:
    def score(place: Place) -> int:
        images = dict(place.node.images)
        total = 0
        for image in pod.shape.images:
            if image in images:
                having = sum(image in dict(other.node.images) for other in places)
                total += int(images[image] * (having / len(places)))
        least, most = 23 << 20, (1000 << 20) * pod.shape.containers
        return 100 * (min(max(total, least), most) - least) // (most - least)

    return {place.node.name: score(place) for place in feasible}


_FILTERS: Final[tuple[Callable[[Sequence[Place], Place, PodInfo], Refusals], ...]] = (
    _cordoned, _tainted, _unselected, _ports, _resources, _spread, _neighbours,
)  # fmt: skip
_SCORES: Final[tuple[tuple[int, Callable[[Sequence[Place], Sequence[Place], PodInfo], dict[str, int]]], ...]] = (
    (3, _welcome),
    (2, _preferred),
    (1, _least_allocated),
    (2, _spreading),
    (2, _liking),
    (1, _balanced),
    (1, _images),
)
