"""May this user do this? One ordered list of authorizers; whoever has an opinion first decides, silence denies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Final, NamedTuple

from kubewire.apiserver.contracts import Identity
from kubewire.machinery import errors
from kubewire.machinery.errors import StatusError
from kubewire.machinery.gvk import GroupResource
from kubewire.machinery.quoting import quote

PRIVILEGED_GROUP: Final = "system:masters"
"""Its members may do everything, whatever roles say: the way back in when roles are wrong."""


class Attributes(NamedTuple):
    """What is asked: a verb on a resource, or (with `path`) on a URL that is no resource.

    `fields` are what lists and watches are narrowed to by field selector, as the caller wrote it.
    """

    identity: Identity
    verb: str
    group: str = ""
    version: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""
    fields: str = ""

    @property
    def qualified_resource(self) -> str:
        """`pods`, or `pods/log` with the subresource."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


class Verdict(Enum):
    """What an authorizer thinks."""

    ALLOW = "allow"
    DENY = "deny"
    NO_OPINION = "no opinion"


class Decision(NamedTuple):
    """A verdict, and why, for the caller who is denied and for access reviews."""

    verdict: Verdict
    reason: str = ""

    @property
    def is_allowed(self) -> bool:
        """Whether it is an ALLOW."""
        return self.verdict is Verdict.ALLOW


Authorizer = Callable[[Attributes], Decision]
"""Looks at what is asked; must not wait, since every request passes through all of them."""

NO_OPINION: Final = Decision(Verdict.NO_OPINION)
_ALLOWED: Final = Decision(Verdict.ALLOW)


def allow_masters(attributes: Attributes) -> Decision:
    """Members of `system:masters` may do everything."""
    return _ALLOWED if PRIVILEGED_GROUP in attributes.identity.groups else NO_OPINION


class Authorization:
    """Authorizers in the order in which they are asked."""

    def __init__(self, authorizers: Sequence[Authorizer] = (allow_masters,)) -> None:
        self._authorizers = tuple(authorizers)

    def decide(self, attributes: Attributes) -> Decision:
        """The first opinion; NO_OPINION with all reasons joined when nobody has one."""
        reasons: list[str] = []
        for authorizer in self._authorizers:
            decision = authorizer(attributes)
            if decision.verdict is not Verdict.NO_OPINION:
                return decision
            if decision.reason:
                reasons.append(decision.reason)
        return Decision(Verdict.NO_OPINION, "\n".join(reasons))

    def require(self, attributes: Attributes) -> None:
        """Returns when it is allowed.

        Raises:
            StatusError: 403, when it is denied or nobody allows it.
        """
        decision = self.decide(attributes)
        if not decision.is_allowed:
            raise forbidden(attributes, decision.reason)


def forbidden(attributes: Attributes, reason: str = "") -> StatusError:
    """The denial in Kubernetes' words, followed by the authorizer's reason if it gave one."""
    what = _denial(attributes)
    return errors.forbidden(
        GroupResource(attributes.group, attributes.resource),
        attributes.name,
        f"{what}: {reason}" if reason else what,
    )


def _denial(asked: Attributes) -> str:
    user = f"User {quote(asked.identity.name)} cannot {asked.verb}"
    if asked.path:
        return f"{user} path {quote(asked.path)}"
    what = f"{user} resource {quote(asked.qualified_resource)} in API group {quote(asked.group)}"
    if asked.namespace:
        return f"{what} in the namespace {quote(asked.namespace)}"
    return f"{what} at the cluster scope"
