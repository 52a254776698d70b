"""What the table of JSON fields says, and that it fits the messages."""

from importlib import import_module

from google.protobuf.descriptor import Descriptor

from kubewire.api.index import MESSAGES, MODULES
from kubewire.machinery.codec.fields import Form, JsonField, Shape, _exceptions, _rows, fields_of, is_typed

CORE = "k8s.io.api.core.v1"
META = "k8s.io.apimachinery.pkg.apis.meta.v1"


def field(message: str, name: str) -> JsonField:
    """One field by its proto name."""
    return next(field for field in fields_of(message) if field.name == name)


def test_a_field_of_the_usual_kind_needs_no_exception() -> None:
    """Strings are held by value and left out when empty, messages are held by pointer."""
    image = field(f"{CORE}.Container", "image")
    assert (image.shape, image.form, image.is_value, image.is_kept) == (Shape.ONE, Form.STRING, True, False)
    probe = field(f"{CORE}.Container", "livenessProbe")
    assert (probe.is_pointer, probe.message, probe.go_type) == (True, f"{CORE}.Probe", "v1.Probe")


def test_exceptions_come_from_the_table() -> None:
    """Kept, pointer, value, inlined, renamed, omitted when zero."""
    assert field(f"{CORE}.Container", "name").is_kept
    assert field(f"{CORE}.PodSpec", "automountServiceAccountToken").is_pointer
    assert field(f"{CORE}.Container", "resources").is_value
    assert field(f"{CORE}.Volume", "volumeSource").is_inline
    assert field(f"{META}.ObjectMeta", "creationTimestamp").is_omitted_zero
    assert field("k8s.io.api.networking.v1.IngressClassParametersReference", "aPIGroup").json_name == "apiGroup"


def test_go_types_are_named_as_go_prints_them() -> None:
    """Named types where Go has them, else what follows from the proto type."""
    named = {
        (f"{CORE}.Container", "imagePullPolicy"): "v1.PullPolicy",
        (f"{CORE}.Container", "ports"): "[]v1.ContainerPort",
        (f"{CORE}.ResourceRequirements", "limits"): "v1.ResourceList",
        (f"{CORE}.Secret", "data"): "map[string][]uint8",
        (f"{META}.ObjectMeta", "uid"): "types.UID",
        ("k8s.io.api.apps.v1.DeploymentSpec", "replicas"): "int32",
    }
    assert {key: field(*key).go_type for key in named} == named


def test_order_is_gos_and_not_that_of_numbers() -> None:
    """`envFrom` has number 19 and stands before `env`."""
    names = [field.name for field in fields_of(f"{CORE}.Container")]
    assert names.index("envFrom") + 1 == names.index("env")


def test_kinds_are_typed_and_their_parts_are_not() -> None:
    """Only messages with TypeMeta have kind and apiVersion."""
    assert is_typed(f"{CORE}.Pod")
    assert not is_typed(f"{CORE}.PodSpec")


def test_the_table_names_nothing_unknown() -> None:
    """Every row is of a message that exists, every name in it of one of its fields."""
    for message in _rows():
        assert message in MESSAGES, message
        row = _exceptions(message)
        pairs = {pair.partition("=")[0] for pair in row.renamed | row.go_types}
        names = row.kept | row.pointers | row.values | row.inlined | row.omitted_when_zero | pairs
        assert names - {""} <= {field.name for field in fields_of(message)}, message


def test_only_schemas_of_custom_resources_can_nest_without_end() -> None:
    """Decoding bounds the depth of these alone."""
    found = set()
    for module in MODULES:
        for message in import_module(module).DESCRIPTOR.message_types_by_name.values():
            if reaches(message, message, set()):
                found.add(message.full_name)
    assert all(name.startswith("k8s.io.apiextensions_apiserver.") for name in found), found


def reaches(message: Descriptor, goal: Descriptor, seen: set[str]) -> bool:
    """Whether a field of `message`, or of what it holds, is a `goal`."""
    for field in message.fields:
        inner = field.message_type
        if inner is not None and inner.full_name not in seen:
            seen.add(inner.full_name)
            if inner.full_name == goal.full_name or reaches(inner, goal, seen):
                return True
    return False
