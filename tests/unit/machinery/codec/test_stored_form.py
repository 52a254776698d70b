"""Bringing what came as protobuf into stored form."""

from typing import TypeVar

import pytest
from google.protobuf.message import Message

from kubewire.api.apiextensions.v1.custom_resource_definition_pb2 import JSONSchemaProps
from kubewire.api.apps.v1.controller_revision_pb2 import ControllerRevision
from kubewire.api.authentication.v1.token_review_pb2 import TokenReview
from kubewire.api.coordination.v1.lease_pb2 import Lease
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.api.core.v1.secret_pb2 import Secret
from kubewire.api.core.v1.service_pb2 import Service
from kubewire.machinery.codec.errors import MalformedProtobuf
from kubewire.machinery.codec.stored_form import decode_raw, restore
from kubewire.machinery.wire import field, varint

MessageT = TypeVar("MessageT", bound=Message)


def restored(message: MessageT) -> MessageT:
    """A copy in stored form."""
    copy = type(message).FromString(message.SerializeToString())
    restore(copy)
    return copy


def test_zeros_held_by_value_are_left_out() -> None:
    """Texts, numbers, messages with nothing in them."""
    pod = Pod()
    pod.metadata.name = ""
    pod.metadata.generation = 0
    pod.metadata.creationTimestamp.SetInParent()
    pod.spec.hostNetwork = False
    pod.spec.volumes.add(name="v").volumeSource.SetInParent()
    pod.status.SetInParent()
    want = Pod()
    want.spec.volumes.add(name="v")
    assert restored(pod) == want


def test_pointers_and_elements_stay() -> None:
    """Even when they are empty."""
    pod = Pod()
    pod.spec.automountServiceAccountToken = False
    pod.spec.containers.add()
    pod.spec.securityContext.SetInParent()
    pod.spec.containers[0].env.add(name="", value="")
    want = Pod()
    want.CopyFrom(pod)
    want.spec.containers[0].env[0].Clear()
    assert restored(pod) == want


def test_null_behind_a_pointer_is_none() -> None:
    """Go's zero time, and raw JSON without text."""
    pod = Pod()
    pod.metadata.deletionTimestamp.seconds = -62135596800
    pod.metadata.managedFields.add().fieldsV1.Raw = b"null"
    want = Pod()
    want.metadata.managedFields.add()
    assert restored(pod) == want


def test_values_become_canonical() -> None:
    """Amounts, times, ports, raw JSON."""
    pod = Pod()
    pod.metadata.deletionTimestamp.seconds = 5
    pod.metadata.deletionTimestamp.nanos = 999
    pod.spec.overhead["cpu"].string = "0.5"
    pod.spec.overhead["none"].SetInParent()
    found = restored(pod)
    assert (found.metadata.deletionTimestamp.seconds, found.metadata.deletionTimestamp.HasField("nanos")) == (5, False)
    assert {key: amount.string for key, amount in found.spec.overhead.items()} == {"cpu": "500m", "none": "0"}
    service = Service()
    service.spec.ports.add().targetPort.strVal = "unused"
    service.spec.ports.add().targetPort.intVal = 80
    service.spec.ports[1].targetPort.type = 0
    want = Service()
    want.spec.ports.add()
    want.spec.ports.add().targetPort.intVal = 80
    assert restored(service) == want
    lease = Lease()
    lease.spec.renewTime.seconds, lease.spec.renewTime.nanos = 5, 1_000_001_999
    want_lease = Lease()
    want_lease.spec.renewTime.seconds, want_lease.spec.renewTime.nanos = 6, 1000
    assert restored(lease) == want_lease
    revision = ControllerRevision()
    revision.data.raw = b'{ "a" : "\xff" }'
    want_revision = ControllerRevision()
    want_revision.data.raw = '{"a":"\ufffd"}'.encode()
    assert restored(revision) == want_revision


def test_unknown_fields_are_dropped() -> None:
    """As a stock server drops them."""
    assert decode_raw(b"\x0a\x03\x0a\x01a\x98\x06\x01", Pod).SerializeToString() == b"\x0a\x03\x0a\x01a"


REFUSED: list[tuple[type[Message], bytes, str]] = [
    (Pod, b"\x0a\x03\x0a\x01\xff", "metadata.name: string is no UTF-8"),
    (Pod, b"\x0a\x05\x72\x03a\xffb", "metadata.finalizers[0]: string is no UTF-8"),
    (Pod, b"\x0a\x08\x5a\x06\x0a\x01\xff\x12\x01a", "metadata.labels: string is no UTF-8"),
    (
        Pod,
        field(2, field(2, field(8, field(1, field(1, b"c") + field(2, field(1, b"\xff")))))),
        "spec.containers[0].resources.limits[c]: string is no UTF-8",
    ),
    (Pod, field(1, field(8, b"\x08" + varint(2**62))), "metadata.creationTimestamp: time is outside"),
    (
        Service,
        b"\x0a\x00\x12\x06\x0a\x04\x22\x02\x08\x05",
        "spec.ports[0].targetPort: impossible type 5 of an IntOrString",
    ),
    (ControllerRevision, b"\x12\x03\x0a\x01{", "data: no JSON: unexpected end of JSON input"),
    (
        ControllerRevision,
        b"\x12\x06\x0a\x04k8s\x00",
        "data: no JSON: invalid character 'k' looking for beginning of value",
    ),
    (JSONSchemaProps, JSONSchemaProps(maximum=float("nan")).SerializeToString(), "maximum: number is not finite"),
    (Pod, b"\x0a\xff", "Error parsing message"),
]


@pytest.mark.parametrize(("message_type", "raw", "message"), REFUSED, ids=[message for _, _, message in REFUSED])
def test_what_no_server_could_read_is_refused(message_type: type[Message], raw: bytes, message: str) -> None:
    """With the path of the field."""
    with pytest.raises(MalformedProtobuf) as caught:
        decode_raw(raw, message_type)
    assert message in str(caught.value)


def test_amounts_that_are_none_are_refused() -> None:
    """A text that a stock server's decoder would fail at, the empty one included."""
    for text in ("x", ""):
        pod = Pod()
        pod.spec.overhead["cpu"].string = text
        with pytest.raises(MalformedProtobuf, match=r"^spec\.overhead\[cpu\]: quantities must match"):
            restore(pod)


def test_bytes_and_lists_in_messages_are_kept() -> None:
    """Nothing is wrong with any bytes."""
    secret = Secret(data={"a": b"\xff", "b": b""})
    assert restored(secret) == secret
    review = TokenReview()
    review.status.user.extra["a"].items.extend(["b", ""])
    assert restored(review) == review
