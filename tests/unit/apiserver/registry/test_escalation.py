"""Roles and bindings are written by those who hold what they grant."""

from dataclasses import replace

import pytest

from kubewire.apiserver.auth.authentication import as_member
from kubewire.apiserver.auth.authorization import Authorization, allow_masters
from kubewire.apiserver.options import ListOptions
from kubewire.apiserver.rbac.authorizer import RbacAuthorizer
from kubewire.apiserver.rbac.escalation import GROUP, Escalation
from kubewire.apiserver.rbac.index import KINDS, RbacIndex
from kubewire.apiserver.registry.builder import build_objects
from kubewire.machinery.errors import StatusError
from tests.unit.apiserver.registry.cluster import PLAIN, Cluster, Json, body

JOE = as_member("joe")
ROLES, BINDINGS = f"roles.{GROUP}", f"rolebindings.{GROUP}"


def role(name: str, *verbs: str) -> Json:
    """A role about pods."""
    return {"metadata": {"name": name}, "rules": [{"verbs": [*verbs], "apiGroups": [""], "resources": ["pods"]}]}


def binding(name: str, to: str, user: str = "joe") -> Json:
    """Binds a user to a role."""
    subjects = [{"kind": "User", "name": user, "apiGroup": GROUP}]
    return {
        "metadata": {"name": name},
        "roleRef": {"apiGroup": GROUP, "kind": "Role", "name": to},
        "subjects": subjects,
    }


@pytest.fixture
async def guarded(cluster: Cluster) -> Cluster:
    """A registry that decides by its own roles: joe writes roles and bindings, and gets pods."""
    index = RbacIndex()
    for kind, plural in KINDS.items():
        cluster.core.cache.follow(cluster.core.kinds.named(GROUP, "v1", plural).kept, index.follower(kind))
    rbac = RbacAuthorizer(index)
    authorization = Authorization((allow_masters, rbac))
    core = replace(cluster.core, authorization=authorization, escalation=Escalation(authorization, rbac))
    made = Cluster(core, build_objects(core), cluster.store)
    writer = {"verbs": ["create", "update"], "apiGroups": [GROUP], "resources": ["roles", "rolebindings"]}
    reader = {"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}
    await made.create(ROLES, "default/", {"metadata": {"name": "mine"}, "rules": [writer, reader]})
    await made.create(BINDINGS, "default/", binding("mine", "mine"))
    await made.create(ROLES, "default/", role("deleter", "delete"))
    await made.get(BINDINGS, "default/mine")
    return made


async def write(cluster: Cluster, resource: str, path: str, obj: Json) -> str:
    """Write as joe; why it is refused, empty if it is not."""
    call = cluster.call(resource, path, JOE)
    try:
        if call.name:
            await cluster.objects.update(call, body(obj), PLAIN)
        else:
            await cluster.objects.create(call, body(obj), PLAIN)
    except StatusError as error:
        return error.message
    return ""


async def test_roles(guarded: Cluster) -> None:
    """Created, and updated."""
    assert await write(guarded, ROLES, "default/", role("x", "get")) == ""
    assert "not currently held" in await write(guarded, ROLES, "default/", role("y", "get", "delete"))
    assert "not currently held" in await write(guarded, ROLES, "default/x", role("x", "delete"))


async def test_bindings(guarded: Cluster) -> None:
    """To roles one has all of."""
    assert "not currently held" in await write(guarded, BINDINGS, "default/", binding("x", "deleter"))
    assert await write(guarded, BINDINGS, "default/", binding("x", "mine", "jane")) == ""


async def test_what_grants_nothing_new_passes(guarded: Cluster) -> None:
    """Labels of a role that one does not hold, and of a binding to it."""
    await guarded.create(BINDINGS, "default/", binding("b", "deleter", "jane"))
    labels = {"labels": {"a": "b"}}
    labelled = role("deleter", "delete")
    assert await write(guarded, ROLES, "default/deleter", {**labelled, "metadata": {"name": "deleter", **labels}}) == ""
    bound = {**binding("b", "deleter", "jane"), "metadata": {"name": "b", **labels}}
    assert await write(guarded, BINDINGS, "default/b", bound) == ""
    assert "not currently held" in await write(guarded, BINDINGS, "default/b", binding("b", "deleter", "jim"))


async def test_one_object_may_be_listed_by_name(guarded: Cluster) -> None:
    """A role that names an object allows lists and watches of that object alone."""
    rules = [{"verbs": ["list"], "apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["a"]}]
    await guarded.create(ROLES, "default/", {"metadata": {"name": "one"}, "rules": rules})
    await guarded.create(BINDINGS, "default/", binding("one", "one"))
    await guarded.get(BINDINGS, "default/one")
    call = guarded.call("configmaps", "default/", JOE)
    assert not (await guarded.objects.list(call, ListOptions(field_selector="metadata.name=a"))).items
    for selector in ("", "metadata.name=b", "metadata.name!=a"):
        with pytest.raises(StatusError, match='User "joe" cannot list resource "configmaps"'):
            await guarded.objects.list(call, ListOptions(field_selector=selector))
