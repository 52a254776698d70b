"""Nobody gives away what they do not have."""

import pytest

from kubewire.apiserver.auth.authentication import as_member
from kubewire.apiserver.auth.authorization import Authorization, allow_masters
from kubewire.apiserver.rbac.authorizer import RbacAuthorizer
from kubewire.apiserver.rbac.escalation import Escalation
from kubewire.apiserver.rbac.index import RbacIndex, RoleRef
from kubewire.apiserver.rbac.rules import Rule
from kubewire.machinery.errors import StatusError
from kubewire.machinery.gvk import GroupResource
from tests.unit.apiserver.rbac.objects import Rbac, binding, put, role, rule

GROUP = "rbac.authorization.k8s.io"
JOE = as_member("joe", groups=["devs"])
BINDINGS = GroupResource(GROUP, "rolebindings")
READ = Rule(("get",), ("",), ("pods",))
WRITE = Rule(("create", "delete"), ("",), ("pods",))


def escalation(*objects: Rbac) -> Escalation:
    """Over these roles and bindings."""
    index = RbacIndex()
    put(index, *objects)
    rbac = RbacAuthorizer(index)
    return Escalation(Authorization((allow_masters, rbac)), rbac)


HELD = (role("r", rule("get", "pods")), binding("b", "ClusterRole:r", "User:joe"))


def test_what_one_has_can_be_given() -> None:
    """By a role, and by a binding to one."""
    checks = escalation(*HELD, role("same", rule("get", "pods")))
    checks.check_role(JOE, RoleRef("Role", "n", "x"), [READ], aggregates=False)
    checks.check_binding(JOE, RoleRef("ClusterRole", "", "same"), BINDINGS, ("n", "x"))


def test_what_one_lacks_cannot() -> None:
    """403, and it says what is missing."""
    with pytest.raises(StatusError) as raised:
        escalation(*HELD).check_role(JOE, RoleRef("Role", "n", "x"), [READ, WRITE], aggregates=False)
    assert raised.value.code == 403
    assert raised.value.message == (
        'roles.rbac.authorization.k8s.io "x" is forbidden: user "joe" (groups=["devs" "system:authenticated"]) '
        "is attempting to grant RBAC permissions not currently held:\n"
        '{APIGroups:[""], Resources:["pods"], Verbs:["create" "delete"]}'
    )
    with pytest.raises(StatusError, match="not currently held"):
        escalation(*HELD, role("w", rule("create", "pods"))).check_binding(
            JOE, RoleRef("ClusterRole", "", "w"), BINDINGS, ("n", "x")
        )


def test_rights_in_one_namespace_are_not_to_be_given_in_another() -> None:
    """They are looked at where the role is to count."""
    checks = escalation(HELD[0], binding("b", "ClusterRole:r", "User:joe", namespace="n"))
    checks.check_role(JOE, RoleRef("Role", "n", "x"), [READ], aggregates=False)
    for elsewhere in (RoleRef("Role", "m", "x"), RoleRef("ClusterRole", "", "x")):
        with pytest.raises(StatusError, match="not currently held"):
            checks.check_role(JOE, elsewhere, [READ], aggregates=False)


def test_exempt_are_masters_and_who_may_escalate_or_bind() -> None:
    """Each for the role that is named."""
    power = role("p", rule("escalate", "roles", GROUP, "x"), rule("bind", "clusterroles", GROUP, "w"))
    checks = escalation(power, role("w", rule("create", "pods")), binding("b", "ClusterRole:p", "User:joe"))
    checks.check_role(JOE, RoleRef("Role", "n", "x"), [WRITE], aggregates=False)
    checks.check_binding(JOE, RoleRef("ClusterRole", "", "w"), BINDINGS, ("n", "any"))
    with pytest.raises(StatusError, match="not currently held"):
        checks.check_role(JOE, RoleRef("Role", "n", "y"), [WRITE], aggregates=False)
    master = as_member("root", groups=["system:masters"])
    checks.check_role(master, RoleRef("ClusterRole", "", "x"), [WRITE], aggregates=True)


def test_only_those_with_all_rights_aggregate() -> None:
    """Since what is gathered may grow."""
    with pytest.raises(StatusError, match="must have cluster-admin privileges to use the aggregationRule"):
        escalation(*HELD).check_role(JOE, RoleRef("ClusterRole", "", "x"), [READ], aggregates=True)


def test_a_role_that_is_not_there_cannot_be_bound_to() -> None:
    """404, unless one may bind to whatever it will be."""
    with pytest.raises(StatusError) as raised:
        escalation(*HELD).check_binding(JOE, RoleRef("ClusterRole", "", "none"), BINDINGS, ("n", "x"))
    assert (raised.value.code, raised.value.message) == (404, 'clusterroles.rbac.authorization.k8s.io "none" not found')
