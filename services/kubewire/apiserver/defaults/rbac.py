"""Bindings of roles: the API group of roles and subjects, which authors mostly leave out."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from kubewire.api.rbac.v1.cluster_role_binding_pb2 import ClusterRoleBinding
    from kubewire.api.rbac.v1.role_binding_pb2 import RoleBinding

AnyBinding: TypeAlias = "RoleBinding | ClusterRoleBinding"

_GROUP = "rbac.authorization.k8s.io"


def default_binding(binding: AnyBinding) -> None:
    """Fill a RoleBinding or ClusterRoleBinding; service accounts stay in the core group."""
    if not binding.roleRef.apiGroup:
        binding.roleRef.apiGroup = _GROUP
    for subject in binding.subjects:
        if subject.kind in {"User", "Group"} and not subject.apiGroup:
            subject.apiGroup = _GROUP
