"""Default roles and bindings, from `rbac.tsv` beside this file (`tools/facts/bootstrap_rbac.py` documents its form).

`components.tsv` has the same form. It declares what our components may do beyond upstream's roles: controllers here all
act as one user, where upstream gives each a service account of its own, so that user is bound to each one's role.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from kubewire.api.rbac.v1.cluster_role_binding_pb2 import ClusterRoleBinding
from kubewire.api.rbac.v1.cluster_role_pb2 import ClusterRole
from kubewire.api.rbac.v1.role_binding_pb2 import RoleBinding
from kubewire.api.rbac.v1.role_pb2 import Role

if TYPE_CHECKING:
    from kubewire.api.rbac.v1.subject_pb2 import PolicyRule

GROUP: Final = "rbac.authorization.k8s.io"
_LABEL: Final = ("kubernetes.io/bootstrapping", "rbac-defaults")
_ANNOTATION: Final = ("rbac.authorization.kubernetes.io/autoupdate", "true")

_TABLES: Final = ("rbac.tsv", "components.tsv")

RbacObject = ClusterRole | Role | ClusterRoleBinding | RoleBinding
_KINDS: Final[dict[str, type[RbacObject]]] = {
    kind.DESCRIPTOR.name: kind for kind in (ClusterRole, Role, ClusterRoleBinding, RoleBinding)
}


def rbac_objects() -> Iterator[RbacObject]:
    """All of them, in the order of the tables."""
    for name in _TABLES:
        yield from _objects(files("kubewire.apiserver.bootstrap").joinpath(name).read_text())


def _objects(text: str) -> Iterator[RbacObject]:
    found: RbacObject | None = None
    for line in text.splitlines():
        cells = line.split("\t")
        if not cells[0]:
            assert isinstance(found, ClusterRole | Role), "rules stand below roles"
            _read_rule(found.rules.add(), cells[1:])
            continue
        if found is not None:
            yield found
        found = _object(*cells)
    if found is not None:
        yield found


def _object(kind: str, name: str, *rest: str) -> RbacObject:
    made = _KINDS[kind]()
    made.metadata.namespace, _, made.metadata.name = name.rpartition("/")
    if not made.metadata.namespace:
        made.metadata.ClearField("namespace")
    made.metadata.labels[_LABEL[0]] = _LABEL[1]
    made.metadata.annotations[_ANNOTATION[0]] = _ANNOTATION[1]
    if isinstance(made, ClusterRoleBinding | RoleBinding):
        _read_binding(made, *rest)
    else:
        _read_labels(made, rest)
    return made


def _read_labels(role: ClusterRole | Role, cells: tuple[str, ...]) -> None:
    for cell in cells:
        if isinstance(role, ClusterRole) and cell.startswith("+"):
            role.aggregationRule.clusterRoleSelectors.add().matchLabels[cell[1:]] = "true"
        else:
            role.metadata.labels[cell] = "true"


def _read_binding(binding: ClusterRoleBinding | RoleBinding, role: str, *subjects: str) -> None:
    binding.roleRef.apiGroup = GROUP
    binding.roleRef.kind = "ClusterRole" if isinstance(binding, ClusterRoleBinding) else "Role"
    binding.roleRef.name = role
    for cell in subjects:
        kind, _, name = cell.partition(":")
        subject = binding.subjects.add(kind=kind)
        if kind == "ServiceAccount":
            subject.namespace, _, subject.name = name.partition("/")
        else:
            subject.apiGroup, subject.name = GROUP, name


def _read_rule(rule: PolicyRule, cells: list[str]) -> None:
    verbs, *about = cells
    rule.verbs.extend(verbs.split(","))
    if len(about) == 1 or about[0].startswith("/"):
        rule.nonResourceURLs.extend(about)
        return
    rule.apiGroups.extend("" if group == "core" else group for group in about[0].split(","))
    rule.resources.extend(about[1].split(","))
    if len(about) > 2:
        rule.resourceNames.extend(about[2].split(","))
