"""Which fields field selectors may name, kind by kind, and how their values are read.

Every kind has `metadata.name`, namespaced kinds `metadata.namespace` as well; the table adds what a kind offers
beyond. A value is always text: numbers and booleans as Kubernetes prints them, unset as the empty string.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from kubewire.machinery.messages import message_class
from kubewire.machinery.resources import Resource

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from kubewire.api.core.v1.event_pb2 import Event
    from kubewire.api.core.v1.pod_pb2 import Pod

Getter = Callable[[Any], str]  # Any: generated messages share no attribute protocol, each getter knows its kind


def _at(path: str) -> Getter:
    """Value at a dotted path of singular fields."""
    names = path.split(".")

    def get(message: Any) -> str:  # noqa: ANN401  # as above
        for name in names:
            message = getattr(message, name)
        if isinstance(message, bool):
            return "true" if message else "false"
        return str(message)

    return get


def _pod_ip(pod: Pod) -> str:
    return str(pod.status.podIPs[0].ip) if pod.status.podIPs else ""


def _event_source(event: Event) -> str:
    return str(event.source.component or event.reportingComponent)


def _reference(selector: str, field: str) -> dict[str, Getter]:
    """Fields of an object reference: `selector` is the prefix users write, `field` the message's."""
    names = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
    return {f"{selector}.{name}": _at(f"{field}.{name}") for name in names}


def _same(*paths: str) -> dict[str, Getter]:
    return {path: _at(path) for path in paths}


_SELECTABLE: Final[Mapping[str, Mapping[str, Getter]]] = {
    "k8s.io.api.core.v1.Event": {
        **_reference("involvedObject", "involvedObject"),
        **_same("reason", "reportingComponent", "type"),
        "source": _event_source,
    },
    "k8s.io.api.events.v1.Event": {
        **_reference("regarding", "regarding"),
        **_same("reason", "reportingController", "type"),
    },
    "k8s.io.api.core.v1.Namespace": _same("status.phase"),
    "k8s.io.api.core.v1.Node": _same("spec.unschedulable"),
    "k8s.io.api.core.v1.Pod": {
        **_same(
            "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "spec.hostNetwork"
        ),
        **_same("status.phase", "status.nominatedNodeName"),
        "spec.host": _at("spec.nodeName"),
        "status.podIP": _pod_ip,
        "status.podIPs": lambda _pod: "",  # accepted, but no pod ever carries a value for it
    },
    "k8s.io.api.core.v1.ReplicationController": _same("status.replicas"),
    "k8s.io.api.core.v1.Secret": _same("type"),
    "k8s.io.api.core.v1.Service": _same("spec.clusterIP", "spec.type"),
    "k8s.io.api.batch.v1.Job": {"status.successful": _at("status.succeeded")},
    "k8s.io.api.certificates.v1.CertificateSigningRequest": _same("spec.signerName"),
    "k8s.io.api.certificates.v1alpha1.ClusterTrustBundle": _same("spec.signerName"),
    "k8s.io.api.certificates.v1beta1.ClusterTrustBundle": _same("spec.signerName"),
    "k8s.io.api.certificates.v1beta1.PodCertificateRequest": _same("spec.signerName", "spec.podName", "spec.nodeName"),
    "k8s.io.api.resource.v1.ResourceSlice": _same("spec.nodeName", "spec.driver"),
    "k8s.io.api.resource.v1beta1.ResourceSlice": _same("spec.nodeName", "spec.driver"),
    "k8s.io.api.resource.v1beta2.ResourceSlice": _same("spec.nodeName", "spec.driver"),
}
_NONE: Final[Mapping[str, Getter]] = {}


def is_selectable(resource: Resource, field: str) -> bool:
    """Whether field selectors on `resource` may name `field`.

    `metadata.namespace` is accepted for cluster-scoped kinds too, where it matches nothing but the empty text.
    """
    return field in ("metadata.name", "metadata.namespace") or field in _SELECTABLE.get(resource.message, _NONE)


class SelectableFields(Mapping[str, str]):
    """The same for an object that is still bytes: a value is read when it is asked for, and only that one.

    Selectors ask for one or two of a kind's fields, and for those of every object that changes; reading all of them
    would cost several times what taking the change over does.
    """

    __slots__ = ("_raw", "_resource", "_values")

    def __init__(self, resource: Resource, namespace: str, name: str, raw: bytes) -> None:
        self._resource = resource
        self._raw = raw
        self._values = {"metadata.name": name, "metadata.namespace": namespace}

    def __getitem__(self, field: str) -> str:
        value = self._values.get(field)
        if value is None:
            read = _SELECTABLE.get(self._resource.message, _NONE)[field]
            value = self._values[field] = read(message_class(self._resource.message).FromString(self._raw))
        return value

    def __iter__(self) -> Iterator[str]:
        yield from ("metadata.name", "metadata.namespace")
        yield from _SELECTABLE.get(self._resource.message, _NONE)

    def __len__(self) -> int:
        return 2 + len(_SELECTABLE.get(self._resource.message, _NONE))


def selectable_fields(resource: Resource, namespace: str, name: str, message: Message) -> Mapping[str, str]:
    """All selectable fields of one object with their values."""
    values = {"metadata.name": name, "metadata.namespace": namespace}
    for path, get in _SELECTABLE.get(resource.message, _NONE).items():
        values[path] = get(message)
    return values
