"""Where pods may run: tolerations, affinity, spread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

from kubewire.apiserver.validation.checks import (
    NOT_POSITIVE,
    Problems,
    check_enum,
    check_name,
    check_selector,
    problems_of,
)
from kubewire.machinery import names
from kubewire.machinery.field_errors import duplicate, forbidden, invalid, not_supported, required
from kubewire.machinery.field_path import Path

if TYPE_CHECKING:
    from kubewire.api.core.v1.scheduling_pb2 import (
        Affinity,
        NodeSelector,
        NodeSelectorRequirement,
        NodeSelectorTerm,
        PodAffinity,
        PodAffinityTerm,
        PodAntiAffinity,
        Toleration,
        TopologySpreadConstraint,
    )

AnyPodAffinity: TypeAlias = "PodAffinity | PodAntiAffinity"

TAINT_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_TOLERATIONS = ("Equal", "Exists")
_UNSATISFIABLE = ("DoNotSchedule", "ScheduleAnyway")
_INCLUSIONS = ("Honor", "Ignore")
_WEIGHT = "must be in the range 1-100"
_REQUIRED_TERMS: Final = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED_TERMS = "preferredDuringSchedulingIgnoredDuringExecution"


def check_tolerations(tolerations: Sequence[Toleration], path: Path, problems: Problems) -> None:
    """Which taints a pod bears."""
    for position, toleration in enumerate(tolerations):
        _check_toleration(toleration, path.index(position), problems)


def _check_toleration(toleration: Toleration, path: Path, problems: Problems) -> None:
    if toleration.key:
        if problems_of(names.qualified_name, toleration.key):
            check_name(names.qualified_name, toleration.key, path.child("key"), problems)
    elif toleration.operator != "Exists":
        detail = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
        problems.append(invalid(path.child("operator"), toleration.operator, detail))
    if toleration.HasField("tolerationSeconds") and toleration.effect != "NoExecute":
        detail = "effect must be 'NoExecute' when `tolerationSeconds` is set"
        problems.append(invalid(path.child("effect"), toleration.effect, detail))
    if toleration.operator != "Exists" or toleration.value:
        _check_toleration_operator(toleration, path.child("operator"), problems)
    if toleration.effect and toleration.effect not in TAINT_EFFECTS:
        problems.append(not_supported(path.child("effect"), toleration.effect, TAINT_EFFECTS))


def _check_toleration_operator(toleration: Toleration, path: Path, problems: Problems) -> None:
    if toleration.operator in {"", "Equal"}:
        wrong = problems_of(names.label_value, toleration.value)
        if wrong:
            problems.append(invalid(path, toleration.value, ";".join(wrong)))
    elif toleration.operator == "Exists":
        if toleration.value:
            detail = "value must be empty when `operator` is 'Exists'"
            problems.append(invalid(path, toleration.value, detail))
    else:
        problems.append(not_supported(path, toleration.operator, _TOLERATIONS))


def check_affinity(affinity: Affinity, path: Path, problems: Problems) -> None:
    """Nodes a pod wants, and pods it wants near or far."""
    if affinity.HasField("nodeAffinity"):
        at, nodes = path.child("nodeAffinity"), affinity.nodeAffinity
        if nodes.HasField(_REQUIRED_TERMS):
            wanted = nodes.requiredDuringSchedulingIgnoredDuringExecution
            check_node_selector(wanted, at.child(_REQUIRED_TERMS), problems)
        for position, term in enumerate(nodes.preferredDuringSchedulingIgnoredDuringExecution):
            where = at.child(_PREFERRED_TERMS).index(position)
            _check_weight(term.weight, where, problems)
            _check_node_term(term.preference, where.child("preference"), problems)
    if affinity.HasField("podAffinity"):
        _check_pod_affinity(affinity.podAffinity, path.child("podAffinity"), problems)
    if affinity.HasField("podAntiAffinity"):
        _check_pod_affinity(affinity.podAntiAffinity, path.child("podAntiAffinity"), problems)


def _check_weight(weight: int, path: Path, problems: Problems) -> None:
    if not 1 <= weight <= 100:
        problems.append(invalid(path.child("weight"), weight, _WEIGHT))


def check_node_selector(selector: NodeSelector, path: Path, problems: Problems) -> None:
    """Any of several terms."""
    at = path.child("nodeSelectorTerms")
    if not selector.nodeSelectorTerms:
        problems.append(required(at, "must have at least one node selector term"))
    for position, term in enumerate(selector.nodeSelectorTerms):
        _check_node_term(term, at.index(position), problems)


def _check_node_term(term: NodeSelectorTerm, path: Path, problems: Problems) -> None:
    for position, item in enumerate(term.matchExpressions):
        _check_node_label(item, path.child("matchExpressions").index(position), problems)
    for position, item in enumerate(term.matchFields):
        _check_node_field(item, path.child("matchFields").index(position), problems)


def _check_node_label(item: NodeSelectorRequirement, path: Path, problems: Problems) -> None:
    at = path.child("values")
    if item.operator in {"In", "NotIn"}:
        if not item.values:
            problems.append(required(at, "must be specified when `operator` is 'In' or 'NotIn'"))
    elif item.operator in {"Exists", "DoesNotExist"}:
        if item.values:
            detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            problems.append(forbidden(at, detail))
    elif item.operator in {"Gt", "Lt"}:
        if len(item.values) != 1:
            problems.append(required(at, "must be specified single value when `operator` is 'Lt' or 'Gt'"))
    else:
        problems.append(invalid(path.child("operator"), item.operator, "not a valid selector operator"))
    check_name(names.qualified_name, item.key, path.child("key"), problems)


def _check_node_field(item: NodeSelectorRequirement, path: Path, problems: Problems) -> None:
    if item.operator not in {"In", "NotIn"}:
        problems.append(invalid(path.child("operator"), item.operator, "not a valid selector operator"))
    elif len(item.values) != 1:
        detail = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
        problems.append(required(path.child("values"), detail))
    if item.key != "metadata.name":
        problems.append(invalid(path.child("key"), item.key, "not a valid field selector key"))
        return
    for position, value in enumerate(item.values):
        check_name(names.dns1123_subdomain, value, path.child("values").index(position), problems)


def _check_pod_affinity(affinity: AnyPodAffinity, path: Path, problems: Problems) -> None:
    for position, term in enumerate(affinity.requiredDuringSchedulingIgnoredDuringExecution):
        _check_pod_term(term, path.child(_REQUIRED_TERMS).index(position), problems)
    for position, weighted in enumerate(affinity.preferredDuringSchedulingIgnoredDuringExecution):
        at = path.child(_PREFERRED_TERMS).index(position)
        _check_weight(weighted.weight, at, problems)
        _check_pod_term(weighted.podAffinityTerm, at.child("podAffinityTerm"), problems)


def _check_pod_term(term: PodAffinityTerm, path: Path, problems: Problems) -> None:
    if term.HasField("labelSelector"):
        check_selector(term.labelSelector, path.child("labelSelector"), problems)
    if term.HasField("namespaceSelector"):
        check_selector(term.namespaceSelector, path.child("namespaceSelector"), problems)
    for name in term.namespaces:
        check_name(names.dns1123_label, name, path.child("namespace"), problems)
    _check_label_keys(term.matchLabelKeys, path.child("matchLabelKeys"), problems)
    _check_label_keys(term.mismatchLabelKeys, path.child("mismatchLabelKeys"), problems)
    for key in set(term.matchLabelKeys) & set(term.mismatchLabelKeys):
        detail = "exists in both matchLabelKeys and mismatchLabelKeys"
        problems.append(invalid(path.child("matchLabelKeys"), key, detail))
    _check_topology(term.topologyKey, path.child("topologyKey"), problems)


def _check_label_keys(keys: Sequence[str], path: Path, problems: Problems) -> None:
    for position, key in enumerate(keys):
        check_name(names.qualified_name, key, path.index(position), problems)


def _check_topology(key: str, path: Path, problems: Problems) -> None:
    if key:
        check_name(names.qualified_name, key, path, problems)
    else:
        problems.append(required(path, "can not be empty"))


def check_spread(constraints: Sequence[TopologySpreadConstraint], path: Path, problems: Problems) -> None:
    """How evenly pods spread over zones or nodes."""
    seen: set[tuple[str, str]] = set()
    for position, constraint in enumerate(constraints):
        at = path.index(position)
        _check_constraint(constraint, at, problems)
        pair = (constraint.topologyKey, constraint.whenUnsatisfiable)
        if pair in seen:
            where = at.child("{topologyKey, whenUnsatisfiable}")
            problems.append(duplicate(where, f"{{{pair[0]}, {pair[1]}}}"))
        seen.add(pair)


def _check_constraint(constraint: TopologySpreadConstraint, path: Path, problems: Problems) -> None:
    if constraint.maxSkew <= 0:
        problems.append(invalid(path.child("maxSkew"), constraint.maxSkew, NOT_POSITIVE))
    _check_topology(constraint.topologyKey, path.child("topologyKey"), problems)
    check_enum(constraint.whenUnsatisfiable, _UNSATISFIABLE, path.child("whenUnsatisfiable"), problems)
    if constraint.HasField("minDomains"):
        _check_domains(constraint, path.child("minDomains"), problems)
    for member in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
        value: str = getattr(constraint, member)
        if value and value not in _INCLUSIONS:
            problems.append(not_supported(path.child(member), value, _INCLUSIONS))
    if constraint.HasField("labelSelector"):
        check_selector(constraint.labelSelector, path.child("labelSelector"), problems)
    elif constraint.matchLabelKeys:
        detail = "must not be specified when labelSelector is not set"
        problems.append(forbidden(path.child("matchLabelKeys"), detail))
    _check_label_keys(constraint.matchLabelKeys, path.child("matchLabelKeys"), problems)


def _check_domains(constraint: TopologySpreadConstraint, path: Path, problems: Problems) -> None:
    if constraint.minDomains <= 0:
        problems.append(invalid(path, constraint.minDomains, NOT_POSITIVE))
    if constraint.whenUnsatisfiable != "DoNotSchedule":
        detail = (
            "can only use minDomains if whenUnsatisfiable=DoNotSchedule, "
            f"not whenUnsatisfiable={constraint.whenUnsatisfiable}"
        )
        problems.append(invalid(path, constraint.minDomains, detail))
