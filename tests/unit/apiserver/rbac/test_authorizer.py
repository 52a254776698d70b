"""Decisions follow roles and bindings, and change with them."""

import pytest

from kubewire.apiserver.auth.authentication import as_member
from kubewire.apiserver.auth.authorization import Attributes, Authorization, Verdict
from kubewire.apiserver.bootstrap.rbac import rbac_objects
from kubewire.apiserver.contracts import Identity
from kubewire.apiserver.rbac.authorizer import RbacAuthorizer
from kubewire.apiserver.rbac.index import RbacIndex
from kubewire.machinery.errors import StatusError
from tests.unit.apiserver.rbac.objects import binding, item, paths, put, remove, role, rule

JOE = as_member("joe", groups=["devs"])
READ = rule("get list", "pods")


class World:
    """An index, and the authorizer over it."""

    def __init__(self) -> None:
        self.index = RbacIndex()
        self.authorizer = RbacAuthorizer(self.index)

    def may(
        self, verb: str, resource: str, namespace: str = "", name: str = "", identity: Identity = JOE, group: str = ""
    ) -> bool:
        """Whether somebody may."""
        plural, _, subresource = resource.partition("/")
        asked = Attributes(identity, verb, group, "v1", plural, subresource, namespace, name)
        decision = self.authorizer(asked)
        assert decision.verdict in (Verdict.ALLOW, Verdict.NO_OPINION), "RBAC denies nothing by itself"
        return decision.is_allowed


@pytest.fixture
def world() -> World:
    """Nobody may anything."""
    return World()


def test_without_a_binding_nobody_may(world: World) -> None:
    """A role alone gives nothing."""
    put(world.index, role("reader", READ))
    assert not world.may("get", "pods", "n")


def test_a_cluster_binding_counts_everywhere(world: World) -> None:
    """In every namespace, and across all."""
    put(world.index, role("reader", READ), binding("b", "ClusterRole:reader", "User:joe"))
    assert world.may("get", "pods", "n")
    assert world.may("list", "pods")
    assert not world.may("delete", "pods", "n")
    assert not world.may("list", "pods", identity=as_member("jane"))


def test_a_binding_in_a_namespace_counts_there(world: World) -> None:
    """Whether it binds a Role or a ClusterRole."""
    put(
        world.index,
        role("reader", READ),
        role("writer", rule("create", "pods"), namespace="n"),
        binding("b", "ClusterRole:reader", "Group:devs", namespace="n"),
        binding("c", "Role:writer", "User:joe", namespace="n"),
    )
    assert world.may("get", "pods", "n")
    assert world.may("create", "pods", "n")
    assert not world.may("get", "pods", "m")
    assert not world.may("list", "pods")


def test_service_accounts(world: World) -> None:
    """By namespace and name; that of the binding's namespace if none is named."""
    account = as_member("system:serviceaccount:n:bot")
    put(world.index, role("reader", READ), binding("b", "ClusterRole:reader", "ServiceAccount:n/bot"))
    assert world.may("get", "pods", "m", identity=account)
    put(world.index, binding("c", "ClusterRole:reader", "ServiceAccount:other", namespace="n"))
    assert world.may("get", "pods", "n", identity=as_member("system:serviceaccount:n:other"))


def test_names(world: World) -> None:
    """Rules may name objects; a request that names none is not allowed by them."""
    put(world.index, role("r", rule("get list", "secrets", names="a b")), binding("b", "ClusterRole:r", "User:joe"))
    assert world.may("get", "secrets", "n", "a")
    assert not world.may("get", "secrets", "n", "c")
    assert not world.may("list", "secrets", "n")


def test_paths_that_are_no_resources(world: World) -> None:
    """By ClusterRoles bound everywhere."""
    put(world.index, role("r", paths("get", "/metrics /logs/*")), binding("b", "ClusterRole:r", "User:joe"))
    for path, is_allowed in (("/metrics", True), ("/logs/a", True), ("/other", False)):
        assert world.authorizer(Attributes(JOE, "get", path=path)).is_allowed is is_allowed


def test_changes_count_at_once(world: World) -> None:
    """Of roles, of bindings, and when they go."""
    reader, bound = role("r", READ), binding("b", "ClusterRole:r", "User:joe")
    put(world.index, reader, bound)
    assert world.may("get", "pods")
    put(world.index, role("r", rule("get", "nodes")))
    assert not world.may("get", "pods")
    assert world.may("get", "nodes")
    put(world.index, binding("b", "ClusterRole:r", "User:jane"))
    assert not world.may("get", "nodes")
    assert world.may("get", "nodes", identity=as_member("jane"))
    remove(world.index, bound)
    assert not world.may("get", "nodes", identity=as_member("jane"))


def test_when_everything_is_loaded_anew(world: World) -> None:
    """What is not among it is gone."""
    put(world.index, role("r", READ), binding("b", "ClusterRole:r", "User:joe"))
    assert world.may("get", "pods")
    world.index.follower("ClusterRoleBinding").replace([item(binding("c", "ClusterRole:r", "User:jane"))])
    assert not world.may("get", "pods")
    assert world.may("get", "pods", identity=as_member("jane"))


def test_a_missing_role_is_told(world: World) -> None:
    """In upstream's words, where it would count."""
    put(world.index, binding("b", "ClusterRole:gone", "User:joe"), binding("c", "Role:r", "User:joe", namespace="n"))
    everywhere = world.authorizer(Attributes(JOE, "get", "", "v1", "pods", namespace="m"))
    assert everywhere.reason == 'RBAC: clusterrole.rbac.authorization.k8s.io "gone" not found'
    here = world.authorizer(Attributes(JOE, "get", "", "v1", "pods", namespace="n"))
    assert here.reason == (
        'RBAC: [clusterrole.rbac.authorization.k8s.io "gone" not found, role.rbac.authorization.k8s.io "r" not found]'
    )
    with pytest.raises(StatusError) as raised:
        Authorization([world.authorizer]).require(Attributes(JOE, "list", "", "v1", "pods"))
    assert raised.value.message == (
        'pods is forbidden: User "joe" cannot list resource "pods" in API group "" at the cluster scope: '
        'RBAC: clusterrole.rbac.authorization.k8s.io "gone" not found'
    )


def test_why_it_is_allowed(world: World) -> None:
    """The binding, the role and the subject, in upstream's words."""
    put(world.index, role("r", READ), binding("b", "ClusterRole:r", "Group:devs", namespace="n"))
    decision = world.authorizer(Attributes(JOE, "get", "", "v1", "pods", namespace="n"))
    assert decision.reason == 'RBAC: allowed by RoleBinding "b/n" of ClusterRole "r" to Group "devs"'


def test_rules_are_listed(world: World) -> None:
    """Those that count in a namespace."""
    put(
        world.index,
        role("r", READ),
        role("s", rule("create", "pods"), namespace="n"),
        binding("b", "ClusterRole:r", "User:joe"),
        binding("c", "Role:s", "User:joe", namespace="n"),
    )
    assert [rule.verbs for rule in world.authorizer.rules_for(JOE, "n")[0]] == [("get", "list"), ("create",)]
    assert [rule.verbs for rule in world.authorizer.rules_for(JOE, "m")[0]] == [("get", "list")]


def test_defaults_count_before_they_are_stored() -> None:
    """And no longer once they were deleted, or are stored otherwise."""
    scheduler = as_member("system:kube-scheduler")
    asked = Attributes(scheduler, "create", "", "v1", "pods", "binding", "n", "p")
    index = RbacIndex(rbac_objects)
    assert RbacAuthorizer(index)(asked).is_allowed
    changed = RbacIndex(rbac_objects)
    put(changed, role("system:kube-scheduler", READ))
    assert not RbacAuthorizer(changed)(asked).is_allowed
    removed = RbacIndex(rbac_objects)
    remove(removed, role("system:kube-scheduler"))
    assert not RbacAuthorizer(removed)(asked).is_allowed


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    """Whoever asks about others fills no memory, and gets right answers."""
    monkeypatch.setattr("kubewire.apiserver.rbac.authorizer._USERS", 2)
    monkeypatch.setattr("kubewire.apiserver.rbac.authorizer._GRANTS", 2)
    put(world.index, role("r", READ), binding("b", "ClusterRole:r", "Group:devs"))
    for number in range(5):
        identity = as_member(f"user{number}", groups=["devs"])
        for verb, is_allowed in (("get", True), ("a", False), ("b", False), ("list", True)):
            assert world.may(verb, "pods", identity=identity) is is_allowed
    assert len(world.authorizer._known) <= 2
