"""The spec of pods, which stands in templates, too: the order of the checks is that of upstream's messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubewire.apiserver.validation.checks import (
    MAX_INT32,
    Problems,
    check_enum,
    check_name,
    check_range,
    problems_of,
)
from kubewire.apiserver.validation.containers import (
    PodScope,
    check_containers,
    check_ephemeral_containers,
    check_host_network,
    check_init_containers,
)
from kubewire.apiserver.validation.metadata import validate_labels
from kubewire.apiserver.validation.placement import check_affinity, check_spread, check_tolerations
from kubewire.apiserver.validation.pod_network import check_dns, check_host_aliases, check_os
from kubewire.apiserver.validation.resources import check_requirements, check_resource_list
from kubewire.apiserver.validation.security import check_pod_security_context
from kubewire.apiserver.validation.volumes import check_volumes
from kubewire.machinery import names
from kubewire.machinery.field_errors import duplicate, forbidden, invalid, not_supported, required
from kubewire.machinery.field_path import Path

if TYPE_CHECKING:
    from kubewire.api.core.v1.pod_spec_pb2 import PodSpec

RESTART_POLICIES = ("Always", "OnFailure", "Never")
_DNS_POLICIES = ("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None")
_PREEMPTION_POLICIES = ("Never", "PreemptLowerPriority")
_POD_RESOURCES = frozenset({"cpu", "memory"})


def check_pod_spec(spec: PodSpec, path: Path, problems: Problems) -> None:
    """Everything of a pod spec that can be told from it alone."""
    scope = PodScope(
        volumes=check_volumes(spec.volumes, path.child("volumes"), problems) if spec.volumes else (),
        grace_seconds=spec.terminationGracePeriodSeconds,
        host_users=spec.hostUsers or not spec.HasField("hostUsers"),
        claims=_check_claims(spec, path, problems),
    )
    _check_all_containers(spec, scope, path, problems)
    if spec.HasField("resources"):
        _check_pod_resources(spec, path.child("resources"), problems)
    if spec.restartPolicy not in RESTART_POLICIES:
        check_enum(spec.restartPolicy, RESTART_POLICIES, path.child("restartPolicy"), problems)
    if spec.dnsPolicy not in _DNS_POLICIES:
        check_enum(spec.dnsPolicy, _DNS_POLICIES, path.child("dnsPolicy"), problems)
    if spec.nodeSelector:
        problems += validate_labels(spec.nodeSelector, path.child("nodeSelector"))
    if spec.shareProcessNamespace or spec.securityContext.ListFields():
        check_pod_security_context(spec, path.child("securityContext"), problems)
    _check_placement(spec, path, problems)
    _check_names(spec, path, problems)
    _check_numbers(spec, path, problems)
    _check_rare(spec, path, problems)


def _check_all_containers(spec: PodSpec, scope: PodScope, path: Path, problems: Problems) -> None:
    taken: set[str] = set()
    at = path.child("containers")
    check_containers(spec.containers, scope, at, problems, taken=taken)
    if spec.initContainers:
        where = path.child("initContainers")
        check_init_containers(spec.initContainers, scope, where, problems, taken=taken)
    if spec.ephemeralContainers:
        where = path.child("ephemeralContainers")
        check_ephemeral_containers(spec.ephemeralContainers, scope, where, problems, taken=taken)
    if spec.hostNetwork:
        check_host_network(spec.containers, at, problems)


def _check_claims(spec: PodSpec, path: Path, problems: Problems) -> set[str]:
    """Device claims of the pod; the names containers may refer to."""
    known: set[str] = set()
    for position, claim in enumerate(spec.resourceClaims):
        at = path.child("resourceClaims").index(position)
        if not claim.name:
            problems.append(required(at.child("name")))
        elif claim.name in known:
            problems.append(duplicate(at.child("name"), claim.name))
        else:
            check_name(names.dns1123_label, claim.name, at.child("name"), problems)
        known.add(claim.name)
        if bool(claim.resourceClaimName) == bool(claim.resourceClaimTemplateName):
            is_both = bool(claim.resourceClaimName)
            detail = (
                "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified"
                if is_both
                else "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`"
            )
            problems.append(invalid(at, claim.name, detail))
    return known


def _check_pod_resources(spec: PodSpec, path: Path, problems: Problems) -> None:
    check_requirements(spec.resources, path, problems)
    for member, amounts in (("limits", spec.resources.limits), ("requests", spec.resources.requests)):
        for name in amounts:
            if name not in _POD_RESOURCES and not name.startswith("hugepages-"):
                problems.append(not_supported(path.child(member).key(name), name, sorted(_POD_RESOURCES)))
    if spec.resources.claims:
        problems.append(forbidden(path.child("claims"), "claims may not be set for Resources at pod-level"))


def _check_placement(spec: PodSpec, path: Path, problems: Problems) -> None:
    if spec.HasField("affinity"):
        check_affinity(spec.affinity, path.child("affinity"), problems)
    if spec.HasField("dnsConfig") or spec.dnsPolicy == "None":
        check_dns(spec, path.child("dnsConfig"), problems)
    if spec.topologySpreadConstraints:
        check_spread(spec.topologySpreadConstraints, path.child("topologySpreadConstraints"), problems)
    if spec.tolerations:
        check_tolerations(spec.tolerations, path.child("tolerations"), problems)


_NAMES = (
    ("serviceAccountName", names.dns1123_subdomain),
    ("nodeName", names.dns1123_subdomain),
    ("hostname", names.dns1123_label),
    ("subdomain", names.dns1123_label),
    ("priorityClassName", names.dns1123_subdomain),
    ("runtimeClassName", names.dns1123_subdomain),
    ("schedulerName", names.qualified_name),
)


def _check_names(spec: PodSpec, path: Path, problems: Problems) -> None:
    for member, check in _NAMES:
        text: str = getattr(spec, member)
        if text and problems_of(check, text):
            check_name(check, text, path.child(member), problems)


def _check_numbers(spec: PodSpec, path: Path, problems: Problems) -> None:
    if spec.HasField("activeDeadlineSeconds"):
        at = path.child("activeDeadlineSeconds")
        check_range(spec.activeDeadlineSeconds, 1, MAX_INT32, at, problems)
    if spec.HasField("preemptionPolicy") and spec.preemptionPolicy not in _PREEMPTION_POLICIES:
        check_enum(spec.preemptionPolicy, _PREEMPTION_POLICIES, path.child("preemptionPolicy"), problems)


def _check_rare(spec: PodSpec, path: Path, problems: Problems) -> None:
    """Fields that few pods set."""
    if spec.hostAliases:
        check_host_aliases(spec.hostAliases, path.child("hostAliases"), problems)
    if spec.overhead:
        check_resource_list(spec.overhead, path.child("overhead"), problems)
    if spec.HasField("os"):
        check_os(spec, path, problems)
    for position, gate in enumerate(spec.readinessGates):
        at = path.child("readinessGates").index(position).child("conditionType")
        check_name(names.qualified_name, gate.conditionType, at, problems)
    if spec.schedulingGates:
        _check_scheduling_gates(spec, path.child("schedulingGates"), problems)


def _check_scheduling_gates(spec: PodSpec, path: Path, problems: Problems) -> None:
    seen: set[str] = set()
    for position, gate in enumerate(spec.schedulingGates):
        at = path.index(position)
        if not gate.name:
            problems.append(required(at))
            continue
        check_name(names.qualified_name, gate.name, at, problems)
        if gate.name in seen:
            problems.append(duplicate(at, gate.name))
        seen.add(gate.name)
