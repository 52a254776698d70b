"""`matchLabelKeys` of affinity and spread: keys whose values the pod's own labels supply when it is created.

The pair of key and value becomes a requirement of the selector, so that the scheduler needs no second look at
the pod (KEP-3633, KEP-3243).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubewire.api.core.v1.pod_pb2 import Pod
    from kubewire.api.core.v1.scheduling_pb2 import Affinity, PodAffinityTerm
    from kubewire.api.meta.v1.selector_pb2 import LabelSelector


def merge_label_keys(pod: Pod) -> None:
    """Write what the keys stand for into the selectors of affinity terms and spread constraints."""
    spec, labels = pod.spec, pod.metadata.labels
    if spec.HasField("affinity"):
        for term in _terms(spec.affinity):
            if term.HasField("labelSelector"):
                _require(term.labelSelector, "In", term.matchLabelKeys, labels)
                _require(term.labelSelector, "NotIn", term.mismatchLabelKeys, labels)
    for constraint in spec.topologySpreadConstraints:
        if constraint.matchLabelKeys:
            _require(constraint.labelSelector, "In", constraint.matchLabelKeys, labels)


def _terms(affinity: Affinity) -> Iterator[PodAffinityTerm]:
    for side in (affinity.podAffinity, affinity.podAntiAffinity):
        yield from side.requiredDuringSchedulingIgnoredDuringExecution
        for weighted in side.preferredDuringSchedulingIgnoredDuringExecution:
            yield weighted.podAffinityTerm


def _require(selector: LabelSelector, operator: str, keys: Iterable[str], labels: Mapping[str, str]) -> None:
    for key in keys:
        if key in labels:
            selector.matchExpressions.add(key=key, operator=operator, values=[labels[key]])
