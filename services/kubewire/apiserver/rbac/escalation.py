"""Nobody gives away what they do not have: whoever writes a role or a binding must hold all that it grants.

Exempt are administrators, and who may `escalate` the role, or `bind` it. Pure, but for what it asks the authorizers.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from kubewire.apiserver.auth.authorization import PRIVILEGED_GROUP, Attributes
from kubewire.apiserver.rbac.index import CLUSTER_ROLE, RoleRef
from kubewire.apiserver.rbac.rules import EVERYTHING, Rule, compacted, not_covered
from kubewire.machinery import errors
from kubewire.machinery.gvk import GroupResource
from kubewire.machinery.quoting import quote

if TYPE_CHECKING:
    from kubewire.apiserver.auth.authorization import Authorization
    from kubewire.apiserver.contracts import Identity
    from kubewire.apiserver.rbac.authorizer import RbacAuthorizer

GROUP: Final = "rbac.authorization.k8s.io"
_PLURALS: Final = {CLUSTER_ROLE: "clusterroles", "Role": "roles"}
_NEEDS_ALL: Final = "must have cluster-admin privileges to use the aggregationRule"


class Escalation:
    """Checks writes of roles and bindings."""

    def __init__(self, authorization: Authorization, rbac: RbacAuthorizer) -> None:
        self._authorization = authorization
        self._rbac = rbac

    def check_role(self, author: Identity, role: RoleRef, rules: Iterable[Rule], *, aggregates: bool) -> None:
        """Returns when `author` may write a role with these rules.

        Raises:
            StatusError: 403, naming what the author lacks.
        """
        plural = _PLURALS[role.kind]
        if self._is_exempt(author, "escalate", plural, role):
            return
        resource = GroupResource(GROUP, plural)
        self._check(author, rules, resource, role.namespace, role.name)
        if aggregates:
            owned, _ = self._rbac.rules_for(author, role.namespace)
            if not_covered(owned, EVERYTHING):
                raise errors.forbidden(resource, role.name, _NEEDS_ALL)

    def check_binding(self, author: Identity, role: RoleRef, resource: GroupResource, place: tuple[str, str]) -> None:
        """Returns when `author` may bind subjects to a role; `place` is the binding's namespace and name.

        Raises:
            StatusError: 403, naming what the author lacks; 404, there is no such role.
        """
        plural = _PLURALS.get(role.kind, "")
        namespace, name = place
        if self._is_exempt(author, "bind", plural, role._replace(namespace=namespace)):
            return
        rules = self._rbac.role_rules(role)
        if rules is None:
            raise errors.not_found(GroupResource(GROUP, plural), role.name)
        self._check(author, rules, resource, namespace, name)

    def _is_exempt(self, author: Identity, verb: str, plural: str, role: RoleRef) -> bool:
        if PRIVILEGED_GROUP in author.groups:
            return True
        asked = Attributes(author, verb, GROUP, "v1", plural, namespace=role.namespace, name=role.name)
        return self._authorization.decide(asked).is_allowed

    def _check(
        self, author: Identity, rules: Iterable[Rule], resource: GroupResource, namespace: str, name: str
    ) -> None:
        owned, problems = self._rbac.rules_for(author, namespace)
        missing = compacted(not_covered(owned, rules))
        if not missing:
            return
        groups = " ".join(map(quote, author.groups))
        listed = "\n".join(sorted(map(str, missing)))
        why = (
            f"user {quote(author.name)} (groups=[{groups}]) is attempting to grant RBAC permissions not currently held:"
            f"\n{listed}"
        )
        if problems:
            why += f"; resolution errors: {problems}"
        raise errors.forbidden(resource, name, why)
