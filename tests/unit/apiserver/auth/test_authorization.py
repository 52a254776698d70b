"""Denials are worded as Kubernetes words them, and the first opinion counts."""

import pytest

from kubewire.apiserver.auth.authentication import as_member
from kubewire.apiserver.auth.authorization import NO_OPINION, Attributes, Authorization, Decision, Verdict
from kubewire.machinery.errors import StatusError

ROOT = as_member("admin", groups=["system:masters"])
X = as_member("x")


def test_masters_may_do_everything() -> None:
    """Members of system:masters are allowed."""
    Authorization().require(Attributes(ROOT, "delete", resource="pods", namespace="y", name="z"))


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        (
            Attributes(X, "list", resource="pods", namespace="y"),
            'pods is forbidden: User "x" cannot list resource "pods" in API group "" in the namespace "y"',
        ),
        (
            Attributes(X, "get", resource="nodes", name="n"),
            'nodes "n" is forbidden: User "x" cannot get resource "nodes" in API group "" at the cluster scope',
        ),
        (
            Attributes(X, "update", group="apps", resource="deployments", subresource="scale", namespace="y", name="d"),
            (
                'deployments.apps "d" is forbidden: User "x" cannot update resource "deployments/scale" '
                'in API group "apps" in the namespace "y"'
            ),
        ),
        (Attributes(X, "get", path="/metrics"), 'forbidden: User "x" cannot get path "/metrics"'),
    ],
)
def test_a_denial_says_who_what_and_where(attributes: Attributes, message: str) -> None:
    """403 with the user, the verb, the resource and its scope."""
    with pytest.raises(StatusError) as raised:
        Authorization().require(attributes)
    assert raised.value.code == 403
    assert str(raised.value) == message


def test_the_first_opinion_decides() -> None:
    """A denial before an allowance stands, and its reason is told."""
    deny = Decision(Verdict.DENY, "not on Mondays")
    allow = Decision(Verdict.ALLOW)
    asked = Attributes(X, "get", path="/")
    assert Authorization([lambda _: NO_OPINION, lambda _: allow, lambda _: deny]).decide(asked) is allow
    with pytest.raises(StatusError, match=r"not on Mondays$"):
        Authorization([lambda _: deny, lambda _: allow]).require(asked)
