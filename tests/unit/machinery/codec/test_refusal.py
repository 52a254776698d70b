"""What clients are told about bodies that cannot be read."""

import pytest

from kubewire.api.apps.v1.deployment_pb2 import Deployment
from kubewire.machinery.codec.decode import FieldValidation, decode
from kubewire.machinery.codec.envelope import unwrap
from kubewire.machinery.codec.errors import DecodeError
from kubewire.machinery.codec.refusal import refusal, summary
from kubewire.machinery.codec.yaml_reader import decode_yaml
from kubewire.machinery.gvk import GroupVersionKind

GVK = GroupVersionKind("apps", "v1", "Deployment")
TOLD = {
    b'{"spec":{"replicas":"3"}}': (
        'Deployment in version "v1" cannot be handled as a Deployment: '
        "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32"
    ),
    b'{"spec":{"replica":3,"replica":4}}': (
        'Deployment in version "v1" cannot be handled as a Deployment: '
        'strict decoding error: unknown field "spec.replica"'
    ),
    b'{"spec":': (
        "the object provided is unrecognized (must be of type Deployment): "
        'couldn\'t get version/kind; json parse error: unexpected end of JSON input ({"spec":)'
    ),
    b'{"kind":5,"metadata":{"name":"a name that is long"}}': (
        "the object provided is unrecognized (must be of type Deployment): "
        "couldn't get version/kind; json parse error: "
        'json: cannot unmarshal number into Go struct field .kind of type string ({"kind":5,"metadata":{"name":" ...)'
    ),
}


@pytest.mark.parametrize(("body", "message"), TOLD.items())
def test_the_words_are_kubernetes(body: bytes, message: str) -> None:
    """400 BadRequest with the reason and, where the kind could not be read, the beginning of the body."""
    with pytest.raises(DecodeError) as caught:
        decode(body, Deployment, validation=FieldValidation.STRICT)
    told = refusal(caught.value, body, GVK)
    assert (told.code, told.reason, told.message) == (400, "BadRequest", message)


def test_yaml_and_protobuf_are_unrecognized_too() -> None:
    """With their own reasons."""
    for read, body in ((decode_yaml, b"a: b: c"), (unwrap, b"\x00\x01")):
        with pytest.raises(DecodeError) as caught:
            read(body)
        message = refusal(caught.value, body, GVK).message
        assert message.startswith("the object provided is unrecognized (must be of type Deployment): ")
        assert message.endswith(f"({body.hex()})")


def test_a_summary_is_short() -> None:
    """Thirty bytes at most; digits unless it looks like JSON."""
    assert summary(b"") == "<empty>"
    assert summary(b"{" + b"x" * 40) == "{" + "x" * 29 + " ..."
    assert summary(b"\xff" * 31) == "ff" * 30 + " ..."
