"""JSON from messages and from bytes that are not as servers write them."""

import orjson
import pytest

from kubewire.api.apiextensions.v1.custom_resource_definition_pb2 import JSONSchemaProps
from kubewire.api.core.v1.config_map_pb2 import ConfigMap
from kubewire.api.core.v1.pod_pb2 import Pod, PodList
from kubewire.api.core.v1.secret_pb2 import Secret
from kubewire.api.meta.v1.object_meta_pb2 import OwnerReference
from kubewire.api.meta.v1.selector_pb2 import LabelSelector
from kubewire.api.rbac.v1.cluster_role_pb2 import ClusterRole
from kubewire.machinery.codec.encode import encode, encode_raw, to_dict
from kubewire.machinery.codec.errors import EncodeError, MalformedProtobuf
from kubewire.machinery.gvk import GroupVersionKind

POD = GroupVersionKind("", "v1", "Pod")
CONFIG_MAP = "k8s.io.api.core.v1.ConfigMap"


def test_kind_and_version_come_first() -> None:
    """And only if they are given."""
    assert (
        encode(Pod(), POD) == b'{"kind":"Pod","apiVersion":"v1","metadata":{},"spec":{"containers":null},"status":{}}'
    )
    assert encode(Pod()) == b'{"metadata":{},"spec":{"containers":null},"status":{}}'


def test_lists_have_no_null_where_clients_loop() -> None:
    """`items` of a list is empty, other lists that Go keeps are null."""
    assert encode(PodList()) == b'{"metadata":{},"items":[]}'
    assert encode(ClusterRole()) == b'{"metadata":{},"rules":null}'


def test_html_is_escaped_everywhere() -> None:
    """In keys, values, and raw JSON, as encoding/json does."""
    pod = Pod()
    pod.metadata.annotations["a<b"] = "x & y > z"
    pod.metadata.managedFields.add().fieldsV1.Raw = b'{"f:<":{}}'
    text = encode(pod)
    assert b"<" not in text
    assert b"&" not in text
    metadata = orjson.loads(text)["metadata"]
    assert metadata["annotations"] == {"a<b": "x & y > z"}
    assert metadata["managedFields"][0]["fieldsV1"] == {"f:<": {}}


def test_text_that_needs_escapes_is_found_wherever_it_is() -> None:
    """Names, too, although they are tested together at the end."""
    pod = Pod()
    pod.metadata.name = 'a"b\\c\nü'
    pod.spec.containers.add(name='"', command=["\t"], image="ok")
    assert to_dict(pod)["metadata"] == {"name": 'a"b\\c\nü'}
    assert to_dict(pod)["spec"] == {"containers": [{"name": '"', "command": ["\t"], "image": "ok", "resources": {}}]}


def test_bytes_absent_and_empty_differ_where_go_keeps_them() -> None:
    """Maps of bytes are base64; empty bytes are an empty string."""
    assert to_dict(Secret(data={"a": b"\xff\x00", "b": b""}))["data"] == {"a": "/wA=", "b": ""}


def test_numbers_of_all_sizes_are_written() -> None:
    """Negative ones, and those of many bytes."""
    pod = Pod()
    pod.metadata.generation = -1
    pod.spec.terminationGracePeriodSeconds = 2**62
    pod.spec.priority = -(2**31)
    value = to_dict(pod)
    assert value["metadata"] == {"generation": -1}
    assert value["spec"] == {"containers": None, "terminationGracePeriodSeconds": 2**62, "priority": -(2**31)}


def test_schemas_may_be_other_things() -> None:
    """A boolean, a list, strings, a JSON value."""
    schema = JSONSchemaProps(type="object")
    schema.additionalProperties.allows = True
    schema.items.jSONSchemas.add(type="string")
    schema.dependencies["a"].property.extend(["b", "c"])
    schema.dependencies["d"].schema.type = "null"
    schema.default.raw = b'{"x": 1}'
    schema.enum.add(raw=b'"e"')
    schema.maximum = 1e21
    assert to_dict(schema) == {
        "type": "object",
        "default": {"x": 1},
        "maximum": 1e21,
        "enum": ["e"],
        "items": [{"type": "string"}],
        "additionalProperties": True,
        "dependencies": {"a": ["b", "c"], "d": {"type": "null"}},
    }
    schema.additionalProperties.schema.type = "string"
    assert to_dict(schema)["additionalProperties"] == {"type": "string"}
    schema.additionalProperties.Clear()
    assert to_dict(schema)["additionalProperties"] is False


def config_map(raw: bytes) -> object:
    """What the JSON of these bytes says."""
    return orjson.loads(encode_raw(raw, CONFIG_MAP))


def test_irregular_bytes_mean_what_protobuf_says() -> None:
    """Fields out of order, repeated, unknown, or in pieces."""
    whole = ConfigMap(data={"a": "b"}, immutable=True)
    whole.metadata.name = "x"
    metadata, data, immutable = b"\x0a\x03\x0a\x01x", b"\x12\x06\x0a\x01a\x12\x01b", b"\x20\x01"
    want = to_dict(whole)
    assert config_map(metadata + data + immutable) == want
    assert config_map(immutable + data + metadata) == want
    assert config_map(b"\x20\x00" + metadata + data + immutable) == want
    assert config_map(metadata + data + immutable + b"\x98\x06\x07") == want
    assert config_map(metadata + b"\x12\x06\x12\x01b\x0a\x01a" + immutable) == want
    assert config_map(b"\x0a\x00" + data + immutable + metadata) == want
    assert config_map(b"\x0a\x00" + data + immutable + b"\x0a\x00" + metadata) == want


def test_only_metadata_is_joined() -> None:
    """Where field 1 is a list its parts are elements."""
    owner = OwnerReference(name="a")
    selector = LabelSelector(matchLabels={"a": "b", "c": "d"})
    assert to_dict(selector) == {"matchLabels": {"a": "b", "c": "d"}}
    assert to_dict(owner) == {"apiVersion": "", "kind": "", "name": "a", "uid": ""}


@pytest.mark.parametrize(
    "raw",
    [
        b"\x0a",
        b"\x0a\x05x",
        b"\x0b",
        b"\xff\xff",
        b"\x12\x06\x0a\x09a\x12\x01b",
        b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    ],
)
def test_bytes_that_are_no_message_are_refused(raw: bytes) -> None:
    """Cut short, a group, lengths beyond the end."""
    with pytest.raises(MalformedProtobuf):
        encode_raw(raw, CONFIG_MAP)


def test_what_json_cannot_say_is_an_error() -> None:
    """An infinite number in a schema."""
    with pytest.raises(EncodeError, match="unsupported value: inf"):
        encode(JSONSchemaProps(maximum=float("inf")))
