"""Authorizes nodes: what every node does, its own objects, and of the rest what its own pods refer to.

The rules are those of upstream's node authorizer; what every node may do is the role `system:node` without the kinds
that are decided one by one. Silence, not denial: a role may still allow more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from kubewire.apiserver.auth.authorization import NO_OPINION, Attributes, Decision, Verdict
from kubewire.apiserver.nodes.identity import node_of
from kubewire.apiserver.nodes.references import Reference
from kubewire.apiserver.rbac.index import RoleRef
from kubewire.machinery.selectors import fields
from kubewire.machinery.selectors.requirements import SelectorError

if TYPE_CHECKING:
    from kubewire.api.core.v1.persistent_volume_claim_pb2 import PersistentVolumeClaim
    from kubewire.apiserver.nodes.pods import Find, NodePods
    from kubewire.apiserver.rbac.rules import Rule

_Judge: TypeAlias = Callable[[str, Attributes], Decision]
NODE_ROLE: Final = RoleRef("ClusterRole", "", "system:node")
"""What every node does, as far as it is not decided object by object."""

_REMEMBERED: Final = 1024
_ALLOWED: Final = Decision(Verdict.ALLOW)
_READS: Final = frozenset({"get", "list", "watch"})
_LEASES: Final = "kube-node-lease"


class NodeAuthorizer:
    """Asked before RBAC; has no opinion of callers that are no nodes."""

    def __init__(self, pods: NodePods, find: Find, role: Callable[[], Sequence[Rule]]) -> None:
        """`role` gives the rules of `NODE_ROLE`."""
        self._pods = pods
        self._find = find
        self._role = role
        self._known_role: Sequence[Rule] = ()
        self._known: dict[tuple[str, str, str, str], Decision] = {}  # what that role says
        self._judges: Mapping[tuple[str, str], _Judge] = {
            ("", "secrets"): self._read_referred,
            ("", "configmaps"): self._read_referred,
            ("", "persistentvolumeclaims"): self._claim,
            ("", "persistentvolumes"): self._volume,
            ("", "serviceaccounts"): self._account,
            ("", "nodes"): self._node,
            ("", "pods"): self._pod,
            ("coordination.k8s.io", "leases"): self._lease,
            ("storage.k8s.io", "csinodes"): self._own_only,
        }

    def __call__(self, asked: Attributes) -> Decision:
        """See `Authorizer`."""
        node = node_of(asked.identity)
        if not node or asked.path:
            return NO_OPINION
        judge = self._judges.get((asked.group, asked.resource))
        return self._by_role(asked) if judge is None else judge(node, asked)

    def _by_role(self, asked: Attributes) -> Decision:
        role = self._role()
        if role is not self._known_role or len(self._known) >= _REMEMBERED:
            self._known_role = role
            self._known.clear()
        key = (asked.verb, asked.group, asked.resource, asked.subresource)
        decision = self._known.get(key)
        if decision is None:
            decision = self._known[key] = _ALLOWED if any(rule.is_about(*key) for rule in role) else NO_OPINION
        return decision

    def _read_referred(self, node: str, asked: Attributes) -> Decision:
        if asked.verb not in _READS or asked.subresource:
            return _silent("can only read resources of this type")
        return self._referred(node, asked)

    def _referred(self, node: str, asked: Attributes) -> Decision:
        if not asked.name:
            return _silent("no object name found")
        if not asked.namespace:
            return _silent("can only read namespaced object of this type")
        if self._pods.refer(node, asked.namespace, Reference(asked.resource, asked.name)):
            return _ALLOWED
        return _unrelated(node)

    def _claim(self, node: str, asked: Attributes) -> Decision:
        if asked.subresource not in ("", "status") or (not asked.subresource and asked.verb != "get"):
            return _silent("can only get individual resources of this type, and update their status")
        if asked.subresource and asked.verb not in ("get", "update", "patch"):
            return _silent("can only get, update and patch the status")
        return self._referred(node, asked)

    def _volume(self, node: str, asked: Attributes) -> Decision:
        if asked.verb != "get" or asked.subresource:
            return _silent("can only get individual resources of this type")
        for namespace, name in self._pods.claims(node):
            claim = self._find("persistentvolumeclaims", namespace, name)
            if claim is not None and cast("PersistentVolumeClaim", claim.message).spec.volumeName == asked.name:
                return _ALLOWED
        return _unrelated(node)

    def _account(self, node: str, asked: Attributes) -> Decision:
        wanted = "create" if asked.subresource == "token" else "get"
        if asked.verb != wanted or asked.subresource not in ("", "token"):
            return _silent("can only get individual service accounts, and create their tokens")
        return self._referred(node, asked)

    def _node(self, node: str, asked: Attributes) -> Decision:
        if asked.verb in _READS and asked.name != node:
            return _silent(f"node {node!r} cannot read {asked.name!r}, only its own Node object")
        if asked.verb not in ("create", *_READS) and asked.name != node:
            return _silent(f"node {node!r} cannot modify {asked.name!r}, only its own Node object")
        return self._by_role(asked)

    def _pod(self, node: str, asked: Attributes) -> Decision:
        if asked.verb == "get":
            is_own = bool(asked.name) and self._pods.is_on(node, asked.namespace, asked.name)
            return _ALLOWED if is_own and not asked.subresource else _unrelated(node)
        if asked.verb in ("list", "watch"):
            is_narrow = _selected_node(asked.fields) == node or (
                asked.name and self._pods.is_on(node, asked.namespace, asked.name)
            )
            reason = "can only list/watch pods with spec.nodeName field selector"
            return _ALLOWED if is_narrow and not asked.subresource else _silent(reason)
        return self._by_role(asked)

    def _lease(self, node: str, asked: Attributes) -> Decision:
        if asked.namespace != _LEASES:
            return _silent(f'can only access leases in the "{_LEASES}" system namespace')
        if asked.verb not in ("get", "create", "update", "patch", "delete") or asked.subresource:
            return _silent("can only get, create, update, patch, or delete a node lease")
        return _ALLOWED if asked.verb == "create" or asked.name == node else _silent(_OWN_LEASE)

    def _own_only(self, node: str, asked: Attributes) -> Decision:
        if asked.verb != "create" and asked.name != node:
            return _silent(f"can only access {asked.resource} with the same name as the requesting node")
        return self._by_role(asked)


_OWN_LEASE: Final = "can only access node lease with the same name as the requesting node"


def _silent(why: str) -> Decision:
    return Decision(Verdict.NO_OPINION, why)


def _unrelated(node: str) -> Decision:
    return _silent(f"no relationship found between node '{node}' and this object")


def _selected_node(field_text: str) -> str:
    try:
        return fields.parse(field_text).exact_value("spec.nodeName") or "" if field_text else ""
    except SelectorError:
        return ""
