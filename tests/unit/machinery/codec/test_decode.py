"""JSON into messages: what is accepted, what is left out, and the words for what is refused."""

import pytest
from google.protobuf.message import Message

from kubewire.api.apiextensions.v1.custom_resource_definition_pb2 import CustomResourceDefinition, JSONSchemaProps
from kubewire.api.apps.v1.controller_revision_pb2 import ControllerRevision
from kubewire.api.apps.v1.deployment_pb2 import Deployment
from kubewire.api.authorization.v1.subject_access_review_pb2 import SubjectAccessReview
from kubewire.api.coordination.v1.lease_pb2 import Lease
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.api.core.v1.secret_pb2 import Secret
from kubewire.api.core.v1.service_pb2 import Service
from kubewire.api.meta.v1.discovery_pb2 import APIResource
from kubewire.machinery.codec.decode import FieldValidation, decode
from kubewire.machinery.codec.encode import to_dict
from kubewire.machinery.codec.errors import DecodeError, MalformedJson, StrictError, WrongValue

WRONG: list[tuple[type[Message], str, str]] = [
    (Deployment, '{"spec":{"replicas":"3"}}', "string into Go struct field DeploymentSpec.spec.replicas of type int32"),
    (
        Deployment,
        '{"spec":{"replicas":3.0}}',
        "number 3.0 into Go struct field DeploymentSpec.spec.replicas of type int32",
    ),
    (
        Deployment,
        '{"spec":{"replicas":1e3}}',
        "number 1e3 into Go struct field DeploymentSpec.spec.replicas of type int32",
    ),
    (
        Deployment,
        '{"spec":{"replicas":2147483648}}',
        "number 2147483648 into Go struct field DeploymentSpec.spec.replicas of type int32",
    ),
    (Deployment, '{"spec":{"replicas":true}}', "bool into Go struct field DeploymentSpec.spec.replicas of type int32"),
    (Deployment, '{"spec":{"paused":1}}', "number into Go struct field DeploymentSpec.spec.paused of type bool"),
    (Deployment, '{"spec":[]}', "array into Go struct field Deployment.spec of type v1.DeploymentSpec"),
    (Pod, '{"spec":{"containers":{}}}', "object into Go struct field PodSpec.spec.containers of type []v1.Container"),
    (
        Pod,
        '{"spec":{"containers":"abc"}}',
        "string into Go struct field PodSpec.spec.containers of type []v1.Container",
    ),
    (Pod, '{"spec":{"containers":["a"]}}', "string into Go struct field PodSpec.spec.containers of type v1.Container"),
    (
        Pod,
        '{"spec":{"containers":[{"command":"a"}]}}',
        "string into Go struct field Container.spec.containers.command of type []string",
    ),
    (
        Pod,
        '{"spec":{"containers":[{"command":[1]}]}}',
        "number into Go struct field Container.spec.containers.command of type string",
    ),
    (
        Pod,
        '{"spec":{"containers":[{"env":[{"value":1}]}]}}',
        "number into Go struct field EnvVar.spec.containers.env.value of type string",
    ),
    (
        Pod,
        '{"spec":{"containers":[{"imagePullPolicy":false}]}}',
        "bool into Go struct field Container.spec.containers.imagePullPolicy of type v1.PullPolicy",
    ),
    (
        Pod,
        '{"spec":{"volumes":[{"hostPath":"/"}]}}',
        "string into Go struct field Volume.spec.volumes.hostPath of type v1.HostPathVolumeSource",
    ),
    (Pod, '{"metadata":{"labels":{"a":1}}}', "number into Go struct field ObjectMeta.metadata.labels of type string"),
    (
        Pod,
        '{"metadata":{"labels":["a"]}}',
        "array into Go struct field ObjectMeta.metadata.labels of type map[string]string",
    ),
    (Pod, '{"metadata":{"uid":7}}', "number into Go struct field ObjectMeta.metadata.uid of type types.UID"),
    (
        Pod,
        '{"metadata":{"creationTimestamp":0}}',
        "number into Go struct field ObjectMeta.metadata.creationTimestamp of type string",
    ),
    (
        Pod,
        '{"spec":{"containers":[{"resources":{"limits":[]}}]}}',
        "array into Go struct field ResourceRequirements.spec.containers.resources.limits of type v1.ResourceList",
    ),
    (
        Service,
        '{"spec":{"ports":[{"targetPort":false}]}}',
        "bool into Go struct field ServicePort.spec.ports.targetPort of type int32",
    ),
    (
        Service,
        '{"spec":{"ports":[{"targetPort":1.5}]}}',
        "number 1.5 into Go struct field ServicePort.spec.ports.targetPort of type int32",
    ),
    (Secret, '{"data":{"a":1}}', "number into Go struct field Secret.data of type []uint8"),
    (
        SubjectAccessReview,
        '{"spec":{"extra":{"a":"b"}}}',
        "string into Go struct field SubjectAccessReviewSpec.spec.extra of type v1.ExtraValue",
    ),
    (
        SubjectAccessReview,
        '{"spec":{"extra":{"a":[1]}}}',
        "number into Go struct field SubjectAccessReviewSpec.spec.extra of type string",
    ),
    (JSONSchemaProps, '{"maximum":"x"}', "string into Go struct field JSONSchemaProps.maximum of type float64"),
    (JSONSchemaProps, '{"maximum":1e999}', "number 1e999 into Go struct field JSONSchemaProps.maximum of type float64"),
]


@pytest.mark.parametrize(("message_type", "text", "message"), WRONG, ids=[text for _, text, _ in WRONG])
def test_wrong_types_are_refused_in_gos_words(message_type: type[Message], text: str, message: str) -> None:
    """What was found, the innermost struct, the path without indexes, Go's type."""
    with pytest.raises(WrongValue) as caught:
        decode(text.encode(), message_type)
    assert str(caught.value) == f"json: cannot unmarshal {message}"


UNREADABLE: list[tuple[type[Message], str, str]] = [
    (
        Pod,
        '{"metadata":{"creationTimestamp":"x"}}',
        'parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"',
    ),
    (Lease, '{"spec":{"renewTime":"2020-01-01T00:00:00Z"}}', 'cannot parse "Z" as ".000000"'),
    (
        Pod,
        '{"spec":{"containers":[{"resources":{"limits":{"cpu":"x"}}}]}}',
        "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    ),
    (Pod, '{"spec":{"containers":[{"resources":{"limits":{"cpu":{}}}}]}}', "quantities must match"),
    (Pod, '{"spec":{"containers":[{"resources":{"limits":{"cpu":"1.2.3"}}}]}}', "quantities must match"),
    (Secret, '{"data":{"a":"!"}}', "illegal base64 data at input byte 0"),
    (JSONSchemaProps, '{"additionalProperties":1}', "boolean or JSON schema expected"),
]


@pytest.mark.parametrize(("message_type", "text", "message"), UNREADABLE, ids=[text for _, text, _ in UNREADABLE])
def test_unreadable_texts_are_refused_with_the_reason(message_type: type[Message], text: str, message: str) -> None:
    """The reason is that of the type's own parser."""
    with pytest.raises(WrongValue) as caught:
        decode(text.encode(), message_type)
    assert message in str(caught.value)


def test_the_first_wrong_value_counts() -> None:
    """In the order of the text."""
    with pytest.raises(WrongValue, match=r"PodSpec\.spec\.hostNetwork"):
        decode(b'{"spec":{"hostNetwork":"a","nodeName":1}}', Pod)


@pytest.mark.parametrize("text", [b"[]", b'"x"', b"1", b"true", b'{"kind":1}', b'{"apiVersion":{}}'])
def test_a_body_without_a_kind_is_malformed(text: bytes) -> None:
    """A server looks for the kind first, and says what it found instead."""
    with pytest.raises(MalformedJson, match="json: cannot unmarshal"):
        decode(text, Pod)


def test_null_is_nothing() -> None:
    """As a body, as a field of any kind; as an element it is an empty one."""
    assert decode(b"null", Pod) == Pod()
    text = b"""{"kind":null,"metadata":{"name":null,"labels":null,"creationTimestamp":null,"generation":null},
      "spec":{"containers":null,"securityContext":null,"hostNetwork":null,"terminationGracePeriodSeconds":null}}"""
    assert decode(text, Pod) == Pod()
    pod = decode(b'{"metadata":{"labels":{"a":null},"finalizers":[null]},"spec":{"containers":[null]}}', Pod)
    assert (dict(pod.metadata.labels), list(pod.metadata.finalizers)) == ({"a": ""}, [""])
    assert len(pod.spec.containers) == 1
    pod = decode(b'{"spec":{"overhead":{"cpu":null}}}', Pod)
    assert pod.spec.overhead["cpu"].string == "0"
    assert decode(b'{"data":{"a":null}}', Secret) == Secret(data={"a": b""})


def test_empty_values_are_left_out_and_empty_pointers_kept() -> None:
    """The stored form: what Go holds by value is there only if something is in it."""
    text = b"""{"metadata":{"name":"","labels":{},"generation":0,"creationTimestamp":"0001-01-01T00:00:00Z"},
      "spec":{"nodeName":"","hostNetwork":false,"containers":[{"resources":{}}],
      "automountServiceAccountToken":false,"securityContext":{},"priority":0},"status":{"phase":""}}"""
    pod = decode(text, Pod)
    want = Pod()
    want.spec.containers.add()
    want.spec.automountServiceAccountToken = False
    want.spec.securityContext.SetInParent()
    want.spec.priority = 0
    assert pod == want


def test_special_values_are_read() -> None:
    """Amounts in every notation, ports by number and name, times, raw JSON, bytes as a list."""
    pod = decode(b'{"spec":{"overhead":{"a":"0.5","b":1,"c":1.5,"d":1e3,"e":" 2 "}}}', Pod)
    assert {key: amount.string for key, amount in pod.spec.overhead.items()} == {
        "a": "500m",
        "b": "1",
        "c": "1500m",
        "d": "1e3",
        "e": "2",
    }
    service = decode(
        b'{"spec":{"ports":[{"targetPort":80},{"targetPort":"http"},{"targetPort":0},{"targetPort":""}]}}', Service
    )
    assert [(port.targetPort.type, port.targetPort.intVal, port.targetPort.strVal) for port in service.spec.ports] == [
        (0, 80, ""),
        (1, 0, "http"),
        (0, 0, ""),
        (1, 0, ""),
    ]
    lease = decode(b'{"spec":{"renewTime":"2020-01-01T00:00:00.000120Z"}}', Lease)
    assert (lease.spec.renewTime.seconds, lease.spec.renewTime.nanos) == (1577836800, 120_000)
    revision = decode(b'{"data":{"b": 1.50, "a": [1e3, 12345678901234567890123]}}', ControllerRevision)
    assert revision.data.raw == b'{"b":1.50,"a":[1e3,12345678901234567890123]}'
    assert decode(b'{"data":{"a":[104,105]}}', Secret).data["a"] == b"hi"


def test_schemas_may_be_other_things() -> None:
    """Booleans, lists and strings stand where schemas may; unknown fields inside are passed over without a word."""
    text = b"""{"additionalProperties":{"type":"string","foo":1},"items":[{"type":"string"}],
      "dependencies":{"a":["b"],"c":{"type":"null"}},"enum":[1,null],"default":{"a":null}}"""
    schema = decode(text, JSONSchemaProps, validation=FieldValidation.STRICT)
    assert to_dict(schema) == {
        "default": {"a": None},
        "enum": [1, None],
        "items": [{"type": "string"}],
        "additionalProperties": {"type": "string"},
        "dependencies": {"a": ["b"], "c": {"type": "null"}},
    }


def test_the_depth_of_schemas_is_bounded() -> None:
    """What protobuf could not read again is refused."""
    nested = b'{"items":' * 60 + b"{}" + b"}" * 60
    spec = b'{"spec":{"versions":[{"schema":{"openAPIV3Schema":%b}}]}}'
    with pytest.raises(DecodeError, match="exceeded max depth"):
        decode(spec % nested, CustomResourceDefinition)
    with pytest.raises(DecodeError, match="exceeded max depth"):
        decode(spec % (b'{"items":' * 900 + b"{}" + b"}" * 900), CustomResourceDefinition)
    assert decode(spec % (b'{"items":' * 40 + b"{}" + b"}" * 40), CustomResourceDefinition).ByteSize() > 40


SLOPPY = (
    b'{"spec":{"foo":1,"replicas":1,"replicas":2,"template":{"spec":{"containers":[{"image":"a"},{"Image":"b"}]}}}}'
)
PROBLEMS = [
    'unknown field "spec.foo"',
    'duplicate field "spec.replicas"',
    'unknown field "spec.template.spec.containers[1].Image"',
]


def test_unknown_and_repeated_fields_are_ignored_unless_asked() -> None:
    """Keys are matched exactly, and the last value counts."""
    deployment = decode(SLOPPY, Deployment)
    assert deployment.spec.replicas == 2
    assert [container.image for container in deployment.spec.template.spec.containers] == ["a", ""]


def test_unknown_and_repeated_fields_are_warned_of() -> None:
    """One text each, with the path and its indexes."""
    warnings = ["before"]
    assert decode(SLOPPY, Deployment, validation=FieldValidation.WARN, warnings=warnings).spec.replicas == 2
    assert warnings == ["before", *PROBLEMS]


def test_unknown_and_repeated_fields_are_refused() -> None:
    """All of them in one error."""
    with pytest.raises(StrictError) as caught:
        decode(SLOPPY, Deployment, validation=FieldValidation.STRICT)
    assert caught.value.problems == tuple(PROBLEMS)
    assert str(caught.value) == f"strict decoding error: {', '.join(PROBLEMS)}"


def test_repeated_keys_of_maps_and_known_types_are_found_in_good_objects() -> None:
    """Where nothing else is unusual."""
    for text, problem in {
        b'{"metadata":{"labels":{"a":"1","a":"2"}}}': 'duplicate field "metadata.labels.a"',
        b'{"metadata":{"name":"a"},"metadata":{"name":"b"}}': 'duplicate field "metadata"',
    }.items():
        with pytest.raises(StrictError) as caught:
            decode(text, Pod, validation=FieldValidation.STRICT)
        assert caught.value.problems == (problem,)
    assert decode(b'{"kind":"Pod","kind":"Pod"}', Pod, validation=FieldValidation.STRICT) == Pod()


def test_problems_are_bounded() -> None:
    """A hundred are enough."""
    text = b'{"spec":{%b}}' % b",".join(b'"f%d":1' % number for number in range(500))
    with pytest.raises(StrictError) as caught:
        decode(text, Pod, validation=FieldValidation.STRICT)
    assert len(caught.value.problems) == 100


def test_inlined_messages_cannot_be_named() -> None:
    """In JSON a volume has no `volumeSource`, and renamed fields have only their JSON name."""
    warnings: list[str] = []
    pod = decode(
        b'{"spec":{"volumes":[{"volumeSource":{"emptyDir":{}}}]}}',
        Pod,
        validation=FieldValidation.WARN,
        warnings=warnings,
    )
    assert warnings == ['unknown field "spec.volumes[0].volumeSource"']
    assert not pod.spec.volumes[0].HasField("volumeSource")


def test_values_are_left_as_they_are() -> None:
    """Decoding a dictionary does not change it."""
    value = {
        "metadata": {"labels": {"a": "b"}, "creationTimestamp": None},
        "spec": {"volumes": [{"emptyDir": {}}], "x": 1},
    }
    decode(value, Pod)  # type: ignore[arg-type]  # dictionaries of narrower types
    assert value == {
        "metadata": {"labels": {"a": "b"}, "creationTimestamp": None},
        "spec": {"volumes": [{"emptyDir": {}}], "x": 1},
    }


def test_lists_that_are_messages_are_read() -> None:
    """`verbs` of a resource."""
    resource = decode(b'{"name":"pods","namespaced":true,"verbs":["get","list"]}', APIResource)
    assert list(resource.verbs.items) == ["get", "list"]
    assert to_dict(decode(b'{"verbs":null}', APIResource))["verbs"] is None
