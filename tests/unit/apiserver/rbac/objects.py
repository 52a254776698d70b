"""Roles and bindings in a few words, as the cache holds them."""

from itertools import count

from google.protobuf.message import Message

from kubewire.api.rbac.v1.cluster_role_binding_pb2 import ClusterRoleBinding
from kubewire.api.rbac.v1.cluster_role_pb2 import ClusterRole
from kubewire.api.rbac.v1.role_binding_pb2 import RoleBinding
from kubewire.api.rbac.v1.role_pb2 import Role
from kubewire.apiserver.item import Item
from kubewire.apiserver.rbac.index import KINDS, RbacIndex
from kubewire.machinery.codec.decode import decode
from kubewire.machinery.json_value import JsonArray, JsonObject
from kubewire.machinery.resources import builtin

_revisions = count(1)
_GROUP = "rbac.authorization.k8s.io"


def rule(verbs: str, resources: str, groups: str = "", names: str = "") -> JsonObject:
    """A rule, from words."""
    found: JsonObject = {"verbs": [*verbs.split()], "resources": [*resources.split()]}
    found["apiGroups"] = [*(groups.split() or [""])]
    return found | ({"resourceNames": [*names.split()]} if names else {})


def paths(verbs: str, urls: str) -> JsonObject:
    """A rule about paths that are no resources."""
    return {"verbs": [*verbs.split()], "nonResourceURLs": [*urls.split()]}


def role(name: str, *rules: JsonObject, namespace: str = "") -> Role | ClusterRole:
    """A Role, or without a namespace a ClusterRole."""
    value: JsonObject = {"metadata": {"name": name, "namespace": namespace}, "rules": list(rules)}
    return decode(value, Role) if namespace else decode(value, ClusterRole)


def binding(name: str, ref: str, *subjects: str, namespace: str = "") -> RoleBinding | ClusterRoleBinding:
    """Binds `User:x`, `Group:x` and `ServiceAccount:ns/x` to `Role:x` or `ClusterRole:x`."""
    kind, _, target = ref.partition(":")
    listed: JsonArray = []
    for subject in subjects:
        whose, _, who = subject.partition(":")
        where, _, account = who.rpartition("/")
        one: JsonObject = {"kind": whose, "name": account}
        listed.append(one | ({"namespace": where} if where else {}))
    value: JsonObject = {
        "metadata": {"name": name, "namespace": namespace},
        "roleRef": {"apiGroup": _GROUP, "kind": kind, "name": target},
        "subjects": listed,
    }
    return decode(value, RoleBinding) if namespace else decode(value, ClusterRoleBinding)


Rbac = Role | ClusterRole | RoleBinding | ClusterRoleBinding


def item(obj: Rbac) -> Item:
    """As the cache has it."""
    resource = builtin().by_plural(_GROUP, "v1", KINDS[obj.DESCRIPTOR.name])
    assert resource is not None
    message: Message = obj
    return Item(resource, obj.metadata.namespace, obj.metadata.name, next(_revisions), message.SerializeToString())


def put(index: RbacIndex, *objects: Rbac) -> None:
    """Write objects."""
    for obj in objects:
        index.follower(obj.DESCRIPTOR.name).change(item(obj), None)


def remove(index: RbacIndex, obj: Rbac) -> None:
    """Delete one."""
    index.follower(obj.DESCRIPTOR.name).change(None, item(obj))
