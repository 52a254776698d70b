"""Plug-ins change or refuse objects as stock ones do."""

import base64

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from google.protobuf.message import Message

from kubewire.apiserver.admission.contracts import Operation, Request
from kubewire.apiserver.admission.table import MUTATORS, VALIDATORS, Admission
from kubewire.apiserver.strategy.metadata import snapshot
from kubewire.machinery.codec.decode import decode
from kubewire.machinery.codec.encode import to_dict
from kubewire.machinery.errors import Reason, StatusError
from kubewire.machinery.json_value import JsonObject
from kubewire.machinery.messages import message_class
from kubewire.machinery.resources import Resource, builtin


def made(kind: str, value: JsonObject) -> Message:
    """An object from JSON."""
    resource = resource_of(kind)
    return decode(value, message_class(resource.message))


def resource_of(kind: str) -> Resource:
    """The resource of `<apiVersion> <kind>`."""
    api_version, _, name = kind.partition(" ")
    group, _, version = api_version.rpartition("/")
    resource = builtin().by_kind(group, version, name)
    assert resource is not None
    return resource


def admitted(
    kind: str, value: JsonObject, operation: Operation = Operation.CREATE, old: Message | None = None
) -> JsonObject:
    """What becomes of an object."""
    message = made(kind, value)
    Admission().mutate(message, Request(resource_of(kind), operation, "n", "x", old))
    once = snapshot(message)
    Admission().mutate(message, Request(resource_of(kind), operation, "n", "x", old or once))
    assert message == once, "plug-ins may run twice"
    return to_dict(message)


def part(obj: JsonObject, name: str) -> JsonObject:
    """A member that is an object."""
    value = obj[name]
    assert isinstance(value, dict)
    return value


def refused(kind: str, value: JsonObject, operation: Operation = Operation.CREATE, name: str = "x") -> str:
    """Why an object is refused; empty if it is not."""
    message = made(kind, value)
    request = Request(resource_of(kind), operation, "", name)
    try:
        Admission().mutate(message, request)
        Admission().validate(message, request)
    except StatusError as error:
        return str(error) if error.reason == Reason.FORBIDDEN else f"{error.code} {error.reason}"
    return ""


NOT_READY = {
    "key": "node.kubernetes.io/not-ready",
    "operator": "Exists",
    "effect": "NoExecute",
    "tolerationSeconds": 300,
}
UNREACHABLE = {**NOT_READY, "key": "node.kubernetes.io/unreachable"}


def test_pods_get_an_account_a_priority_and_patience() -> None:
    """A pod that says nothing runs as the default account, at priority 0, and stays on a lost node for 5 minutes."""
    spec = part(admitted("v1 Pod", {}), "spec")
    assert {name: spec[name] for name in ("serviceAccountName", "serviceAccount", "priority", "preemptionPolicy")} == {
        "serviceAccountName": "default",
        "serviceAccount": "default",
        "priority": 0,
        "preemptionPolicy": "PreemptLowerPriority",
    }
    assert spec["tolerations"] == [NOT_READY, UNREACHABLE]


def test_mirror_pods_have_no_account() -> None:
    """A static pod's mirror cannot use the API."""
    pod = admitted("v1 Pod", {"metadata": {"annotations": {"kubernetes.io/config.mirror": "x"}}})
    assert "serviceAccountName" not in part(pod, "spec")


@pytest.mark.parametrize(
    ("tolerations", "added"),
    [
        ([{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute"}], [UNREACHABLE]),
        ([{"key": "node.kubernetes.io/not-ready", "operator": "Exists"}], [UNREACHABLE]),
        (
            [{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoSchedule"}],
            [NOT_READY, UNREACHABLE],
        ),
        ([{"operator": "Exists"}], []),
        ([{"operator": "Exists", "effect": "NoSchedule"}], [NOT_READY, UNREACHABLE]),
    ],
)
def test_patience_that_is_given_counts(tolerations: list[JsonObject], added: list[JsonObject]) -> None:
    """Only what a pod does not tolerate already is added."""
    pod = admitted("v1 Pod", {"spec": {"tolerations": [*tolerations]}})
    assert part(pod, "spec")["tolerations"] == [*tolerations, *added]


def test_system_classes_have_known_priorities() -> None:
    """The cluster's own classes need no look at objects; other classes are left open."""
    critical = admitted("v1 Pod", {"spec": {"priorityClassName": "system-node-critical"}})
    assert part(critical, "spec")["priority"] == 2_000_001_000
    assert "priority" not in part(admitted("v1 Pod", {"spec": {"priorityClassName": "mine"}}), "spec")


@pytest.mark.parametrize(
    ("spec", "given", "computed"),
    [
        ({"priority": 5}, "the integer value of priority (5)", "0"),
        ({"preemptionPolicy": "Never"}, "the string value of PreemptionPolicy (Never)", "PreemptLowerPriority"),
    ],
)
def test_priority_is_not_for_authors_to_say(spec: JsonObject, given: str, computed: str) -> None:
    """A number that differs from the class's is refused; the same one is not."""
    why = f"{given} must not be provided in pod spec; priority admission controller computed {computed}"
    assert refused("v1 Pod", {"spec": spec}) == f'pods "x" is forbidden: {why} from the given PriorityClass name'
    assert refused("v1 Pod", {"spec": {"priority": 0, "preemptionPolicy": "PreemptLowerPriority"}}) == ""


def test_updates_keep_the_priority() -> None:
    """An update that leaves out the priority keeps it."""
    old = made("v1 Pod", {"spec": {"priority": 7, "preemptionPolicy": "Never"}})
    pod = admitted("v1 Pod", {"spec": {"priorityClassName": "mine"}}, Operation.UPDATE, old)
    assert (part(pod, "spec")["priority"], part(pod, "spec")["preemptionPolicy"]) == (7, "Never")


@pytest.mark.parametrize(
    ("kind", "finalizer"),
    [
        ("v1 PersistentVolume", "kubernetes.io/pv-protection"),
        ("v1 PersistentVolumeClaim", "kubernetes.io/pvc-protection"),
        ("storage.k8s.io/v1 VolumeAttributesClass", "kubernetes.io/vac-protection"),
    ],
)
def test_storage_in_use_is_protected(kind: str, finalizer: str) -> None:
    """New storage objects are held until nothing uses them; updates may take the finalizer off."""
    assert part(admitted(kind, {}), "metadata")["finalizers"] == [finalizer]
    old = made(kind, {})
    assert "finalizers" not in part(admitted(kind, {}, Operation.UPDATE, old), "metadata")


def test_new_nodes_take_no_pods_yet() -> None:
    """A node is tainted until it says that it is ready."""
    taint: JsonObject = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
    assert admitted("v1 Node", {})["spec"] == {"taints": [taint]}
    assert admitted("v1 Node", {"spec": {"taints": [taint]}})["spec"] == {"taints": [taint]}


def test_system_namespaces_stay() -> None:
    """The namespaces the cluster lives in cannot be deleted, others can."""
    assert refused("v1 Namespace", {}, Operation.DELETE, "mine") == ""
    why = refused("v1 Namespace", {}, Operation.DELETE, "kube-system")
    assert why == 'namespaces "kube-system" is forbidden: this namespace may not be deleted'


def signing_request(organization: str) -> str:
    """A request for a certificate, as the API takes it."""
    name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization)])
    key = ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return base64.b64encode(request.public_bytes(serialization.Encoding.PEM)).decode()


@pytest.mark.parametrize(
    ("signer", "organization", "why"),
    [
        ("kubernetes.io/kube-apiserver-client", "system:masters", "use of kubernetes.io/kube-apiserver-client signer"),
        ("kubernetes.io/kube-apiserver-client", "others", ""),
        ("example.com/own", "system:masters", ""),
    ],
)
def test_nobody_signs_up_as_administrator(signer: str, organization: str, why: str) -> None:
    """The API's own client signer is not asked for members of the administrators' group."""
    spec: JsonObject = {"signerName": signer, "request": signing_request(organization)}
    found = refused("certificates.k8s.io/v1 CertificateSigningRequest", {"spec": spec})
    assert (why in found) if why else (found == "")


def test_malformed_signing_requests_are_refused() -> None:
    """What cannot be read cannot be judged."""
    spec: JsonObject = {"signerName": "kubernetes.io/kube-apiserver-client", "request": "eA=="}
    assert "unable to parse CSR" in refused("certificates.k8s.io/v1 CertificateSigningRequest", {"spec": spec})


def test_plugins_are_about_kinds_that_are_served() -> None:
    """No plug-in stands in the table under a kind that is not there."""
    served = {(resource.group, resource.kind) for resource in builtin().served()}
    assert {(plugin.group, plugin.kind) for plugin in (*MUTATORS, *VALIDATORS)} <= served
