"""Roles and bindings: complete rules, and references that never change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

from kubewire.apiserver.validation.checks import Problems, check_name, check_selector
from kubewire.machinery import names
from kubewire.machinery.field_errors import FieldError, invalid, not_supported, required
from kubewire.machinery.field_path import ROOT, Path

if TYPE_CHECKING:
    from kubewire.api.rbac.v1.cluster_role_binding_pb2 import ClusterRoleBinding
    from kubewire.api.rbac.v1.cluster_role_pb2 import ClusterRole
    from kubewire.api.rbac.v1.role_binding_pb2 import RoleBinding
    from kubewire.api.rbac.v1.role_pb2 import Role
    from kubewire.api.rbac.v1.subject_pb2 import PolicyRule, RoleRef, Subject

AnyBinding: TypeAlias = "RoleBinding | ClusterRoleBinding"

_GROUP = "rbac.authorization.k8s.io"
_RULES = ROOT.child("rules")
_ROLE_REF = ROOT.child("roleRef")


def validate_role(role: Role) -> list[FieldError]:
    """Rules about resources of a namespace."""
    problems: Problems = []
    _check_rules(role.rules, problems, namespaced=True)
    return problems


def validate_cluster_role(role: ClusterRole) -> list[FieldError]:
    """Rules about resources and URLs, and which other roles add theirs."""
    problems: Problems = []
    _check_rules(role.rules, problems, namespaced=False)
    if role.HasField("aggregationRule"):
        path = ROOT.child("aggregationRule", "clusterRoleSelectors")
        if not role.aggregationRule.clusterRoleSelectors:
            detail = "at least one clusterRoleSelector required if aggregationRule is non-nil"
            problems.append(required(path, detail))
        for position, selector in enumerate(role.aggregationRule.clusterRoleSelectors):
            check_selector(selector, path.index(position), problems)
    return problems


def validate_role_update(new: Role, _old: Role) -> list[FieldError]:
    """As on creation."""
    return validate_role(new)


def validate_cluster_role_update(new: ClusterRole, _old: ClusterRole) -> list[FieldError]:
    """As on creation."""
    return validate_cluster_role(new)


def _check_rules(rules: Sequence[PolicyRule], problems: Problems, *, namespaced: bool) -> None:
    for position, rule in enumerate(rules):
        _check_rule(rule, _RULES.index(position), problems, namespaced=namespaced)


def _check_rule(rule: PolicyRule, path: Path, problems: Problems, *, namespaced: bool) -> None:
    if not rule.verbs:
        problems.append(required(path.child("verbs"), "verbs must contain at least one value"))
    if rule.nonResourceURLs:
        urls, at = list(rule.nonResourceURLs), path.child("nonResourceURLs")
        if namespaced:
            problems.append(invalid(at, urls, "namespaced rules cannot apply to non-resource URLs"))
        if rule.apiGroups or rule.resources or rule.resourceNames:
            detail = "rules cannot apply to both regular resources and non-resource URLs"
            problems.append(invalid(at, urls, detail))
        return
    if not rule.apiGroups:
        problems.append(required(path.child("apiGroups"), "resource rules must supply at least one api group"))
    if not rule.resources:
        problems.append(required(path.child("resources"), "resource rules must supply at least one resource"))


def validate_role_binding(binding: RoleBinding) -> list[FieldError]:
    """A binding within a namespace, to a role of it or of the cluster."""
    problems: Problems = []
    _check_role_ref(binding.roleRef, ("Role", "ClusterRole"), problems)
    _check_subjects(binding.subjects, problems, namespaced=True)
    return problems


def validate_cluster_role_binding(binding: ClusterRoleBinding) -> list[FieldError]:
    """A binding to a role of the cluster."""
    problems: Problems = []
    _check_role_ref(binding.roleRef, ("ClusterRole",), problems)
    _check_subjects(binding.subjects, problems, namespaced=False)
    return problems


def validate_role_binding_update(new: RoleBinding, old: RoleBinding) -> list[FieldError]:
    """Who is bound may change, to what may not."""
    return validate_role_binding(new) + _fixed_role(new, old)


def validate_cluster_role_binding_update(new: ClusterRoleBinding, old: ClusterRoleBinding) -> list[FieldError]:
    """Who is bound may change, to what may not."""
    return validate_cluster_role_binding(new) + _fixed_role(new, old)


def _fixed_role(new: AnyBinding, old: AnyBinding) -> list[FieldError]:
    ref, before = new.roleRef, old.roleRef
    if (ref.apiGroup, ref.kind, ref.name) == (before.apiGroup, before.kind, before.name):
        return []
    shown = {"apiGroup": ref.apiGroup, "kind": ref.kind, "name": ref.name}
    return [invalid(_ROLE_REF, shown, "cannot change roleRef")]


def _check_role_ref(ref: RoleRef, kinds: tuple[str, ...], problems: Problems) -> None:
    if ref.apiGroup != _GROUP:
        problems.append(not_supported(_ROLE_REF.child("apiGroup"), ref.apiGroup, (_GROUP,)))
    if ref.kind not in kinds:
        problems.append(not_supported(_ROLE_REF.child("kind"), ref.kind, kinds))
    if ref.name:
        check_name(names.path_segment, ref.name, _ROLE_REF.child("name"), problems)
    else:
        problems.append(required(_ROLE_REF.child("name")))


def _check_subjects(subjects: Sequence[Subject], problems: Problems, *, namespaced: bool) -> None:
    for position, subject in enumerate(subjects):
        _check_subject(subject, ROOT.child("subjects").index(position), problems, namespaced=namespaced)


def _check_subject(subject: Subject, path: Path, problems: Problems, *, namespaced: bool) -> None:
    if not subject.name:
        problems.append(required(path.child("name")))
    if subject.kind == "ServiceAccount":
        if subject.name:
            check_name(names.dns1123_subdomain, subject.name, path.child("name"), problems)
        if subject.apiGroup:
            problems.append(not_supported(path.child("apiGroup"), subject.apiGroup, ("",)))
        if not namespaced and not subject.namespace:
            problems.append(required(path.child("namespace")))
    elif subject.kind in {"User", "Group"}:
        if subject.apiGroup != _GROUP:
            problems.append(not_supported(path.child("apiGroup"), subject.apiGroup, (_GROUP,)))
    else:
        kinds = ("ServiceAccount", "User", "Group")
        problems.append(not_supported(path.child("kind"), subject.kind, kinds))
