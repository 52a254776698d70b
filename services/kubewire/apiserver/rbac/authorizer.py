"""The authorizer: a decision is two or three look-ups in tables.

Each user's rules are gathered once, and what they say about a verb on a resource is worked out once; both are
forgotten when any role or binding changes. Everything that is remembered is bounded, since users may ask about others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

from kubewire.apiserver.auth.authorization import NO_OPINION, Attributes, Decision, Verdict
from kubewire.apiserver.rbac.index import CLUSTER_ROLE, Binding, RbacIndex, RoleRef
from kubewire.apiserver.rbac.rules import Rule

if TYPE_CHECKING:
    from kubewire.apiserver.contracts import Identity

_USERS: Final = 2048
_GRANTS: Final = 4096
_Asked: TypeAlias = tuple[str, str, str, str]


class _Grant:
    """What rules say about one verb on one resource: allowed for all names, or for some."""

    __slots__ = ("by_name", "for_all")

    def __init__(self) -> None:
        self.for_all: Decision | None = None
        self.by_name: dict[str, Decision] = {}

    def of(self, name: str) -> Decision | None:
        """The decision about one object."""
        return self.for_all or (self.by_name.get(name) if name else None)


class _Rules:
    """Rules that count in one place, each with the binding it comes from."""

    __slots__ = ("_grants", "missing", "rules")

    def __init__(self) -> None:
        self.rules: list[tuple[Rule, Binding]] = []
        self.missing: dict[str, None] = {}  # roles that are bound to and not there
        self._grants: dict[_Asked, _Grant] = {}

    def grant(self, asked: _Asked) -> _Grant:
        """What they say about a verb on a resource."""
        found = self._grants.get(asked)
        if found is None:
            if len(self._grants) >= _GRANTS:
                self._grants.clear()
            found = self._grants[asked] = self._work_out(asked)
        return found

    def of_path(self, verb: str, path: str) -> Decision | None:
        """What they say about a path that is no resource."""
        for rule, binding in self.rules:
            if rule.allows_path(verb, path):
                return _allowed(binding)
        return None

    def _work_out(self, asked: _Asked) -> _Grant:
        grant = _Grant()
        for rule, binding in self.rules:
            if not rule.is_about(*asked):
                continue
            if not rule.names:
                grant.for_all = _allowed(binding)
                return grant
            for name in rule.names:
                grant.by_name.setdefault(name, _allowed(binding))
        return grant


class _Permissions:
    """What one user may do: everywhere, and in each namespace."""

    __slots__ = ("everywhere", "namespaces")

    def __init__(self) -> None:
        self.everywhere = _Rules()
        self.namespaces: dict[str, _Rules] = {}

    def missing(self, namespace: str) -> str:
        """Which roles that count in a namespace are not there; empty if none is missing."""
        here = self.namespaces.get(namespace)
        names = list(self.everywhere.missing | (here.missing if here is not None else {}))
        return ", ".join(names) if len(names) < 2 else f"[{', '.join(names)}]"

    def silence(self, namespace: str) -> Decision:
        """Nothing allows it; that a role is missing may be why."""
        missing = self.missing(namespace)
        return Decision(Verdict.NO_OPINION, f"RBAC: {missing}") if missing else NO_OPINION


class RbacAuthorizer:
    """Decides by roles and bindings, and tells what rules a user has."""

    def __init__(self, index: RbacIndex) -> None:
        self._index = index
        self._known: dict[Identity, _Permissions] = {}

    def __call__(self, asked: Attributes) -> Decision:
        """The first rule that allows it; silence otherwise, since RBAC denies nothing by itself."""
        known = self._permissions(asked.identity)
        if asked.path:
            return known.everywhere.of_path(asked.verb, asked.path) or known.silence("")
        key = (asked.verb, asked.group, asked.resource, asked.subresource)
        decision = known.everywhere.grant(key).of(asked.name)
        if decision is None and asked.namespace:
            here = known.namespaces.get(asked.namespace)
            decision = None if here is None else here.grant(key).of(asked.name)
        return decision or known.silence(asked.namespace)

    def rules_for(self, identity: Identity, namespace: str) -> tuple[list[Rule], str]:
        """The rules a user has in a namespace, and what is wrong with roles that could not be found."""
        known = self._permissions(identity)
        here = known.namespaces.get(namespace)
        both = (*known.everywhere.rules, *(() if here is None else here.rules))
        return [rule for rule, _ in both], known.missing(namespace)

    def role_rules(self, role: RoleRef) -> Sequence[Rule] | None:
        """What a role allows; None if there is no such role."""
        self._settle()
        return self._index.rules(role)

    def _permissions(self, identity: Identity) -> _Permissions:
        self._settle()
        known = self._known.get(identity)
        if known is None:
            if len(self._known) >= _USERS:
                del self._known[next(iter(self._known))]
            known = self._known[identity] = self._gather(identity)
        return known

    def _settle(self) -> None:
        if self._index.is_stale:
            self._index.settle()
            self._known.clear()

    def _gather(self, identity: Identity) -> _Permissions:
        gathered = _Permissions()
        for binding in self._index.bindings(identity):
            place = gathered.everywhere
            if binding.namespace:
                place = gathered.namespaces.setdefault(binding.namespace, _Rules())
            rules = self._index.rules(binding.role)
            if rules is None:
                place.missing[_not_found(binding.role)] = None
            else:
                place.rules.extend((rule, binding) for rule in rules)
        return gathered


def _allowed(binding: Binding) -> Decision:
    return Decision(Verdict.ALLOW, binding.reason)


def _not_found(role: RoleRef) -> str:
    plural = "clusterrole" if role.kind == CLUSTER_ROLE else "role"
    return f'{plural}.rbac.authorization.k8s.io "{role.name}" not found'
