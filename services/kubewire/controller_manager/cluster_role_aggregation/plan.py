"""Which rules an aggregated ClusterRole has. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from kubewire.client.informer.cache import copy_of
from kubewire.machinery.selectors import labels

if TYPE_CHECKING:
    from kubewire.api.rbac.v1.cluster_role_pb2 import ClusterRole
    from kubewire.api.rbac.v1.subject_pb2 import PolicyRule


def is_aggregated(role: ClusterRole) -> bool:
    """Whether its rules are not its author's."""
    return role.HasField("aggregationRule")


def selects(role: ClusterRole, other: ClusterRole) -> bool:
    """Whether the rules of `other` belong to the aggregated `role`: one of its selectors is enough."""
    if role.metadata.name == other.metadata.name:
        return False
    selectors = role.aggregationRule.clusterRoleSelectors
    return any(labels.from_message(selector).matches(other.metadata.labels) for selector in selectors)


def gathered(role: ClusterRole, roles: Iterable[ClusterRole]) -> ClusterRole | None:
    """The role with the rules of those it selects, by their names and each rule once; None if it has them."""
    rules: list[PolicyRule] = []
    for other in sorted(roles, key=lambda one: one.metadata.name):
        if selects(role, other):
            rules += [rule for rule in other.rules if rule not in rules]
    if list(role.rules) == rules:
        return None
    changed = copy_of(role)
    del changed.rules[:]
    changed.rules.extend(rules)
    return changed
