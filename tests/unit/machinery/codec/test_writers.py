"""Writers of message types: compiled when they are needed, bounded in what they remember."""

from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.api.core.v1.probe_pb2 import Probe
from kubewire.machinery.codec.fields import fields_of
from kubewire.machinery.codec.writers import (
    _remembered_members,
    compiled_writer,
    default_text,
    empty_members,
    object_text,
    text_map,
    value_map,
)

CORE = "k8s.io.api.core.v1"


def test_absent_fields_have_gos_defaults() -> None:
    """Nothing, an empty value, null, or an empty list of items."""
    defaults = {
        (f"{CORE}.Container", "image"): "",
        (f"{CORE}.Container", "name"): ',"name":""',
        (f"{CORE}.Container", "resources"): ',"resources":{}',
        (f"{CORE}.Container", "livenessProbe"): "",
        (f"{CORE}.PodSpec", "containers"): ',"containers":null',
        (f"{CORE}.PodList", "items"): ',"items":[]',
        (f"{CORE}.PodCondition", "lastProbeTime"): ',"lastProbeTime":null',
        (f"{CORE}.ResourceFieldSelector", "divisor"): ',"divisor":"0"',
        (f"{CORE}.ServicePort", "targetPort"): ',"targetPort":0',
        ("k8s.io.apimachinery.pkg.apis.meta.v1.ObjectMeta", "creationTimestamp"): "",
    }
    found = {
        (message, field.name): default_text(field)
        for message in {message for message, _ in defaults}
        for field in fields_of(message)
    }
    assert {key: found[key] for key in defaults} == defaults
    assert empty_members(f"{CORE}.Pod") == ',"metadata":{},"spec":{"containers":null},"status":{}'


def test_maps_are_sorted_by_bytes() -> None:
    """As Go sorts strings; keys are escaped where they need it."""
    assert text_map({"b": "1", "B": "2", "ü": "3"}, lambda _: None) == '{"B":"2","b":"1","ü":"3"}'
    assert value_map({'"': "{}"}, lambda _: r"\"") == r'{"\"":{}}'


def test_shared_parts_are_remembered_within_bounds() -> None:
    """The latest few of a type, and no large ones."""
    members_of = _remembered_members(f"{CORE}.Probe")
    assert members_of is not None
    before = members_of.cache_info().currsize  # type: ignore[attr-defined]  # a cache
    pod = Pod()
    pod.spec.containers.add(livenessProbe=Probe(periodSeconds=987))
    for _ in range(3):
        assert '{"periodSeconds":987}' in object_text(f"{CORE}.Pod", pod.SerializeToString())
    assert members_of.cache_info().currsize == before + 1  # type: ignore[attr-defined]
    pod.spec.containers[0].livenessProbe.handler.httpGet.path = "x" * 5000
    object_text(f"{CORE}.Pod", pod.SerializeToString())
    assert members_of.cache_info().currsize == before + 1  # type: ignore[attr-defined]
    assert members_of.cache_info().maxsize == 256  # type: ignore[attr-defined]


def test_writers_are_compiled_once() -> None:
    """Asking again gives the same function."""
    assert compiled_writer(f"{CORE}.Pod") is compiled_writer(f"{CORE}.Pod")
