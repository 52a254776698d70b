"""The step of a write that keeps authors of roles and bindings from giving away more than they have.

An update that changes nothing of what a role or binding grants is nobody's gain and passes: garbage collection and
labels must not need an administrator.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from kubewire.apiserver.rbac.escalation import GROUP
from kubewire.apiserver.rbac.index import CLUSTER_ROLE, RoleRef, role_of
from kubewire.apiserver.rbac.rules import Rule

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from kubewire.api.rbac.v1.cluster_role_binding_pb2 import ClusterRoleBinding
    from kubewire.api.rbac.v1.cluster_role_pb2 import ClusterRole
    from kubewire.api.rbac.v1.role_binding_pb2 import RoleBinding
    from kubewire.api.rbac.v1.role_pb2 import Role
    from kubewire.apiserver.rbac.escalation import Escalation
    from kubewire.apiserver.registry.write import Write

_BINDINGS: Final = ("ClusterRoleBinding", "RoleBinding")


def confirm_no_escalation(write: Write) -> None:
    """Raises StatusError 403 if the author does not hold what the object grants."""
    escalation, resource = write.core.escalation, write.kind.resource
    if escalation is None or resource.group != GROUP:
        return
    if resource.kind in _BINDINGS:
        _check_binding(write, escalation)
    else:
        _check_role(write, escalation)


def _check_role(write: Write, escalation: Escalation) -> None:
    if write.old is not None and _granted(write.obj) == _granted(write.old):
        return
    kind = write.kind.resource.kind
    role = cast("ClusterRole | Role", write.obj)
    aggregates = _aggregates(write.obj) or (write.old is not None and _aggregates(write.old))
    ref = RoleRef(kind, write.call.namespace, write.meta.name)
    escalation.check_role(write.call.identity, ref, map(Rule.of, role.rules), aggregates=aggregates)


def _check_binding(write: Write, escalation: Escalation) -> None:
    binding = cast("ClusterRoleBinding | RoleBinding", write.obj)
    old = cast("ClusterRoleBinding | RoleBinding | None", write.old)
    if old is not None and list(binding.subjects) == list(old.subjects) and binding.roleRef == old.roleRef:
        return
    namespace = write.call.namespace
    resource, place = write.kind.resource.group_resource, (namespace, write.meta.name)
    escalation.check_binding(write.call.identity, role_of(binding, namespace), resource, place)


def _granted(obj: Message) -> tuple[list[Rule], bytes]:
    rules = [Rule.of(rule) for rule in cast("ClusterRole | Role", obj).rules]
    aggregation = cast("ClusterRole", obj).aggregationRule.SerializeToString() if _aggregates(obj) else b""
    return rules, aggregation


def _aggregates(obj: Message) -> bool:
    return obj.DESCRIPTOR.name == CLUSTER_ROLE and obj.HasField("aggregationRule")
