"""Nodes read what their pods refer to, and write about themselves."""

from itertools import count

import pytest

from kubewire.apiserver.auth.authentication import as_member
from kubewire.apiserver.auth.authorization import Attributes
from kubewire.apiserver.bootstrap.rbac import rbac_objects
from kubewire.apiserver.contracts import Identity
from kubewire.apiserver.item import Item
from kubewire.apiserver.nodes.authorizer import NODE_ROLE, NodeAuthorizer
from kubewire.apiserver.nodes.pods import NodePods
from kubewire.apiserver.rbac.authorizer import RbacAuthorizer
from kubewire.apiserver.rbac.index import RbacIndex
from kubewire.machinery.codec.decode import decode
from kubewire.machinery.json_value import JsonArray, JsonObject
from kubewire.machinery.messages import message_class
from kubewire.machinery.resources import builtin

N1 = as_member("system:node:n1", groups=["system:nodes"])
N2 = as_member("system:node:n2", groups=["system:nodes"])
_ROLES = RbacAuthorizer(RbacIndex(rbac_objects))


class World:
    """Objects of the core group, and the authorizer that follows the pods among them."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str, str], Item] = {}
        self.revisions = count(1)
        self.pods = NodePods(lambda *place: self.objects.get(place))
        self.authorizer = NodeAuthorizer(
            self.pods, lambda *place: self.objects.get(place), lambda: _ROLES.role_rules(NODE_ROLE) or ()
        )

    def put(self, plural: str, name: str, **value: JsonObject) -> None:
        """Write an object into namespace n."""
        resource = builtin().by_plural("", "v1", plural)
        assert resource is not None
        meta: JsonObject = {"name": name, "namespace": "n", "uid": f"uid-{name}", "generation": next(self.revisions)}
        message = decode({"metadata": meta, **value}, message_class(resource.message))
        item = Item(resource, "n", name, next(self.revisions), message.SerializeToString())
        previous = self.objects.get((plural, "n", name))
        self.objects[plural, "n", name] = item
        if plural == "pods":
            self.pods.change(item, previous)

    def remove(self, plural: str, name: str) -> None:
        """Delete it."""
        item = self.objects.pop((plural, "n", name))
        if plural == "pods":
            self.pods.change(None, item)

    def may(self, identity: Identity, verb: str, what: str, name: str = "", fields: str = "", where: str = "n") -> bool:
        """Whether a node may; `what` is `group:plural/subresource`."""
        group, _, plural = what.rpartition(":")
        plural, _, subresource = plural.partition("/")
        asked = Attributes(identity, verb, group, "v1", plural, subresource, where, name, fields=fields)
        return self.authorizer(asked).is_allowed


@pytest.fixture
def world() -> World:
    """Pod p on n1, pod q on no node yet."""
    made = World()
    volumes: JsonArray = [
        {"name": "s", "secret": {"secretName": "s"}},
        {"name": "c", "configMap": {"name": "c"}},
        {"name": "v", "persistentVolumeClaim": {"claimName": "v"}},
    ]
    made.put("pods", "p", spec={"nodeName": "n1", "serviceAccountName": "a", "volumes": volumes})
    made.put("pods", "q", spec={"volumes": [{"name": "s", "secret": {"secretName": "t"}}]})
    made.put("persistentvolumeclaims", "v", spec={"volumeName": "disk"})
    return made


@pytest.mark.parametrize(
    ("verb", "what", "name"),
    [
        ("get", "secrets", "s"),
        ("list", "secrets", "s"),
        ("watch", "configmaps", "c"),
        ("get", "persistentvolumeclaims", "v"),
        ("patch", "persistentvolumeclaims/status", "v"),
        ("get", "serviceaccounts", "a"),
        ("create", "serviceaccounts/token", "a"),
        ("get", "pods", "p"),
    ],
)
def test_what_pods_refer_to_their_node_may_read(world: World, verb: str, what: str, name: str) -> None:
    """And no other node, nor other objects of the kind, nor all of them."""
    assert world.may(N1, verb, what, name)
    assert not world.may(N2, verb, what, name)
    assert not world.may(N1, verb, what, "other")
    assert not world.may(N1, verb, what)


def test_objects_are_not_a_nodes_to_write(world: World) -> None:
    """Only read."""
    for verb in ("create", "update", "patch", "delete"):
        for what in ("secrets", "configmaps", "persistentvolumeclaims", "serviceaccounts"):
            assert not world.may(N1, verb, what, what[0])


def test_it_follows_the_pods(world: World) -> None:
    """When one is bound, changes, or goes."""
    assert not world.may(N1, "get", "secrets", "t")
    world.put("pods", "q", spec={"nodeName": "n1", "volumes": [{"name": "s", "secret": {"secretName": "t"}}]})
    assert world.may(N1, "get", "secrets", "t")
    variable: JsonObject = {"name": "A", "valueFrom": {"secretKeyRef": {"name": "u", "key": "k"}}}
    container: JsonObject = {"name": "c", "env": [variable]}
    world.put("pods", "q", spec={"nodeName": "n1", "containers": [container]})
    assert world.may(N1, "get", "secrets", "u")
    assert not world.may(N1, "get", "secrets", "t")
    world.remove("pods", "q")
    assert not world.may(N1, "get", "secrets", "u")
    assert world.may(N1, "get", "secrets", "s")


def test_a_pod_that_came_back_elsewhere(world: World) -> None:
    """Counts for its new node alone, also when everything was loaded anew."""
    world.objects.pop(("pods", "n", "p"))
    world.put("pods", "p", spec={"nodeName": "n2", "volumes": [{"name": "s", "secret": {"secretName": "s"}}]})
    assert (world.may(N1, "get", "secrets", "s"), world.may(N2, "get", "secrets", "s")) == (False, True)
    del world.objects["pods", "n", "p"]
    world.pods.replace([])
    assert not world.may(N2, "get", "secrets", "s")


def test_volumes_behind_claims(world: World) -> None:
    """By the claim's name for its volume."""
    assert world.may(N1, "get", "persistentvolumes", "disk", where="")
    assert not world.may(N2, "get", "persistentvolumes", "disk", where="")
    assert not world.may(N1, "list", "persistentvolumes", "disk", where="")


def test_its_own_node(world: World) -> None:
    """It makes, reads and reports on its Node object, and no other's."""
    for verb, what in (("get", "nodes"), ("watch", "nodes"), ("update", "nodes"), ("patch", "nodes/status")):
        assert world.may(N1, verb, what, "n1", where="")
        assert not world.may(N1, verb, what, "n2", where="")
        assert not world.may(N1, verb, what, where="")
    assert world.may(N1, "create", "nodes", where="")
    assert not world.may(N1, "delete", "nodes", "n1", where="")


def test_its_own_pods(world: World) -> None:
    """Listed and watched by a selector; what it may write is looked at on admission."""
    own = "spec.nodeName=n1"
    for verb in ("list", "watch"):
        assert world.may(N1, verb, "pods", fields=own, where="")
        assert not world.may(N1, verb, "pods", fields="spec.nodeName=n2", where="")
        assert not world.may(N1, verb, "pods", fields="spec.nodeName!=n1", where="")
        assert not world.may(N1, verb, "pods", where="")
        assert not world.may(N1, verb, "pods", fields="nonsense", where="")
    for verb, what in (("create", "pods"), ("delete", "pods"), ("patch", "pods/status"), ("create", "pods/eviction")):
        assert world.may(N1, verb, what, "p")
    for verb, what in (("update", "pods"), ("get", "pods/log"), ("create", "pods/binding")):
        assert not world.may(N1, verb, what, "p")


def test_its_own_lease(world: World) -> None:
    """In the namespace of nodes' leases."""
    for verb in ("get", "update", "patch", "delete"):
        assert world.may(N1, verb, "coordination.k8s.io:leases", "n1", where="kube-node-lease")
        assert not world.may(N1, verb, "coordination.k8s.io:leases", "n2", where="kube-node-lease")
        assert not world.may(N1, verb, "coordination.k8s.io:leases", "n1", where="kube-system")
    assert world.may(N1, "create", "coordination.k8s.io:leases", where="kube-node-lease")
    assert not world.may(N1, "list", "coordination.k8s.io:leases", where="kube-node-lease")


def test_what_every_node_does(world: World) -> None:
    """Services, events, runtime classes."""
    assert world.may(N1, "watch", "services", where="")
    assert world.may(N1, "create", "events.k8s.io:events")
    assert world.may(N1, "list", "node.k8s.io:runtimeclasses", where="")
    assert not world.may(N1, "list", "namespaces", where="")
    assert not world.may(N1, "create", "rbac.authorization.k8s.io:clusterroles", where="")


@pytest.mark.parametrize("identity", [as_member("system:node:n1"), as_member("n1", groups=["system:nodes"])])
def test_who_is_a_node(world: World, identity: Identity) -> None:
    """By the user's name and the group, not one alone."""
    assert not world.may(identity, "get", "secrets", "s")
    assert not world.may(identity, "watch", "services", where="")


def test_why_not(world: World) -> None:
    """The reason is told."""
    asked = Attributes(N2, "get", "", "v1", "secrets", "", "n", "s")
    assert world.authorizer(asked).reason == "no relationship found between node 'n2' and this object"
