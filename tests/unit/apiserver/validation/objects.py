"""Well-formed objects as short JSON, ways to break them, and what validation then says."""

import base64
from collections.abc import Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, TypeAlias, cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kubewire.apiserver.contracts import Identity
from kubewire.apiserver.defaults.table import apply_defaults
from kubewire.apiserver.strategy.contracts import Strategy, UpdateStrategy, WriteContext
from kubewire.apiserver.strategy.metadata import keep_field, snapshot
from kubewire.apiserver.strategy.table import strategy_for
from kubewire.machinery.codec.decode import decode
from kubewire.machinery.codec.encode import to_dict
from kubewire.machinery.json_value import JsonObject, JsonValue
from kubewire.machinery.messages import message_class
from kubewire.machinery.resources import Resource, builtin

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from kubewire.machinery.field_errors import FieldError

Change: TypeAlias = Mapping[str, object]
"""Merged into an object: maps are merged, None deletes, anything else replaces."""

CONTEXT = WriteContext(now_seconds=1_000, identity=Identity("author"))

POD_SPEC: JsonObject = {"containers": [{"name": "c", "image": "x"}]}
TEMPLATE: JsonObject = {"metadata": {"labels": {"a": "b"}}, "spec": POD_SPEC}
SELECTED: JsonObject = {"selector": {"matchLabels": {"a": "b"}}, "template": TEMPLATE}
WEBHOOK: JsonObject = {
    "name": "a.b.c",
    "sideEffects": "None",
    "admissionReviewVersions": ["v1"],
    "clientConfig": {"url": "https://a.b"},
    "rules": [{"operations": ["*"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*"]}],
}


def signing_request() -> str:
    """A request for a certificate, as the API takes it."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "somebody")])
    request = x509.CertificateSigningRequestBuilder().subject_name(name)
    signed = request.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return base64.b64encode(signed.public_bytes(serialization.Encoding.PEM)).decode()


SIGNING_REQUEST = signing_request()

VALID: Mapping[str, JsonObject] = {
    "v1 ConfigMap": {},
    "v1 Endpoints": {"subsets": [{"addresses": [{"ip": "10.0.0.1"}], "ports": [{"port": 80}]}]},
    "v1 Event": {"involvedObject": {"namespace": "n"}},
    "v1 LimitRange": {"spec": {"limits": [{"type": "Container"}]}},
    "v1 Namespace": {},
    "v1 Node": {},
    "v1 PersistentVolume": {
        "spec": {
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteOnce"],
            "hostPath": {"path": "/x"},
        }
    },
    "v1 PersistentVolumeClaim": {
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    },
    "v1 Pod": {"spec": POD_SPEC},
    "v1 PodTemplate": {"template": TEMPLATE},
    "v1 ReplicationController": {"spec": {"selector": {"a": "b"}, "template": TEMPLATE}},
    "v1 ResourceQuota": {"spec": {"hard": {"pods": "1"}}},
    "v1 Secret": {},
    "v1 Service": {"spec": {"ports": [{"port": 80}]}},
    "apps/v1 ControllerRevision": {"revision": 1, "data": {"a": 1}},
    "apps/v1 DaemonSet": {"spec": SELECTED},
    "apps/v1 Deployment": {"spec": SELECTED},
    "apps/v1 ReplicaSet": {"spec": SELECTED},
    "apps/v1 StatefulSet": {"spec": SELECTED},
    "batch/v1 CronJob": {
        "spec": {
            "schedule": "* * * * *",
            "jobTemplate": {"spec": {"template": {"spec": {**POD_SPEC, "restartPolicy": "Never"}}}},
        }
    },
    "batch/v1 Job": {"spec": {"template": {"spec": {**POD_SPEC, "restartPolicy": "Never"}}}},
    "coordination.k8s.io/v1 Lease": {},
    "discovery.k8s.io/v1 EndpointSlice": {"addressType": "IPv4", "endpoints": [{"addresses": ["10.0.0.1"]}]},
    "rbac.authorization.k8s.io/v1 ClusterRole": {},
    "rbac.authorization.k8s.io/v1 ClusterRoleBinding": {"roleRef": {"kind": "ClusterRole", "name": "r"}},
    "rbac.authorization.k8s.io/v1 Role": {},
    "rbac.authorization.k8s.io/v1 RoleBinding": {"roleRef": {"kind": "Role", "name": "r"}},
    "networking.k8s.io/v1 Ingress": {"spec": {"defaultBackend": {"service": {"name": "s", "port": {"number": 80}}}}},
    "networking.k8s.io/v1 IngressClass": {"spec": {"controller": "a.b/c"}},
    "networking.k8s.io/v1 NetworkPolicy": {},
    "policy/v1 PodDisruptionBudget": {"spec": {"minAvailable": 1}},
    "autoscaling/v1 HorizontalPodAutoscaler": {
        "spec": {"maxReplicas": 3, "scaleTargetRef": {"kind": "Deployment", "name": "d"}}
    },
    "autoscaling/v2 HorizontalPodAutoscaler": {
        "spec": {"maxReplicas": 3, "scaleTargetRef": {"kind": "Deployment", "name": "d"}}
    },
    "storage.k8s.io/v1 CSIDriver": {},
    "storage.k8s.io/v1 StorageClass": {"provisioner": "a.b/c"},
    "scheduling.k8s.io/v1 PriorityClass": {"value": 1},
    "node.k8s.io/v1 RuntimeClass": {"handler": "h"},
    "admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration": {"webhooks": [WEBHOOK]},
    "admissionregistration.k8s.io/v1 MutatingWebhookConfiguration": {"webhooks": [WEBHOOK]},
    "apiregistration.k8s.io/v1 APIService": {
        "metadata": {"name": "v1.a.b"},
        "spec": {"group": "a.b", "version": "v1", "groupPriorityMinimum": 1, "versionPriority": 1},
    },
    "certificates.k8s.io/v1 CertificateSigningRequest": {
        "spec": {"request": SIGNING_REQUEST, "usages": ["client auth"], "signerName": "a.b/c"}
    },
    "apiextensions.k8s.io/v1 CustomResourceDefinition": {
        "metadata": {"name": "foos.a.b"},
        "spec": {
            "group": "a.b",
            "scope": "Namespaced",
            "names": {"plural": "foos", "kind": "Foo"},
            "versions": [
                {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
            ],
        },
    },
}
"""One object of each kind that nothing is wrong with, without its metadata."""


def resource_of(kind: str) -> Resource:
    """The resource of `<apiVersion> <kind>`."""
    api_version, _, name = kind.partition(" ")
    group, _, version = api_version.rpartition("/")
    resource = builtin().by_kind(group, version, name)
    assert resource is not None, kind
    return resource


def merged(target: JsonValue, change: object) -> JsonValue:
    """A copy of `target` with a change."""
    if not isinstance(change, Mapping):
        return cast("JsonValue", deepcopy(change))
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in change.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def make(kind: str, *changes: Change) -> "Message":
    """A valid object of a kind with changes, as it is after defaults."""
    resource = resource_of(kind)
    named: JsonObject = {"name": "x", "uid": "u", "creationTimestamp": "2026-01-01T00:00:00Z"}
    if resource.namespaced:
        named["namespace"] = "n"
    obj = merged(VALID[kind], {"metadata": merged(named, VALID[kind].get("metadata", {}))})
    for change in changes:
        obj = merged(obj, change)
    message = decode(cast("JsonObject", obj), message_class(resource.message))
    apply_defaults(resource, message)
    return message


def strategy(kind: str) -> Strategy:
    """The strategy of a kind."""
    return strategy_for(resource_of(kind))


def texts(problems: "list[FieldError]") -> list[str]:
    """Problems as messages name them."""
    return [str(problem) for problem in problems]


def problems_of(kind: str, *changes: Change) -> list[str]:
    """What is wrong with creating a changed object."""
    message = make(kind, *changes)
    strategy(kind).prepare_create(message, CONTEXT)
    return texts(strategy(kind).validate_create(message))


def stored(kind: str, *changes: Change) -> "Message":
    """A changed object as it is stored; a status that is given is its status."""
    message = make(kind, *changes)
    given = snapshot(message)
    strategy(kind).prepare_create(message, CONTEXT)
    if any("status" in change for change in changes):
        keep_field(message, given, "status")
    return message


def update_problems(kind: str, old: "Message", *changes: Change, via: str = "") -> list[str]:
    """What is wrong with changing a stored object, or with changing one of its subresources."""
    wanted: JsonValue = to_dict(old)
    for change in changes:
        wanted = merged(wanted, change)
    new = decode(cast("JsonObject", wanted), type(old))
    apply_defaults(resource_of(kind), new)
    way: UpdateStrategy = strategy(kind).subresources[via] if via else strategy(kind)
    way.prepare_update(new, old, CONTEXT)
    return texts(way.validate_update(new, old))
