"""Specs that are seen again are not worked out again, and nobody can tell."""

import json
from pathlib import Path
from typing import Any

import pytest

from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.apiserver.contracts import Body, Encoding
from kubewire.apiserver.defaults.table import apply_defaults
from kubewire.apiserver.options import GetOptions, WriteOptions
from kubewire.apiserver.validation.table import rules_for
from kubewire.machinery.codec.decode import decode
from kubewire.machinery.codec.envelope import unwrap
from kubewire.machinery.errors import StatusError
from tests.unit.apiserver.registry.cluster import PLAIN, Cluster, Json, body, resource, to_json

SPEC = {"containers": [{"name": "c", "image": "i:1", "resources": {"limits": {"cpu": "0.5"}}}]}


def pod(name: str, spec: Json = SPEC, **metadata: object) -> Json:
    """A pod of the template."""
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, **metadata}, "spec": spec}


async def create(cluster: Cluster, one: Body) -> dict[str, Any]:
    """Create a pod and show it without what makes it itself."""
    made = to_json((await cluster.objects.create(cluster.call("pods", "default/"), one, PLAIN)).item)
    for name in ("name", "uid", "resourceVersion"):
        del made["metadata"][name]
    return made


@pytest.mark.parametrize("encoding", [Encoding.JSON, Encoding.PROTOBUF])
async def test_the_second_pod_of_a_template_is_as_the_first(cluster: Cluster, encoding: Encoding) -> None:
    """Known specs come out with all defaults, whatever the encoding."""

    def sent(name: str) -> Body:
        data = json.dumps(pod(name)).encode()
        return Body(data if encoding is Encoding.JSON else decode(data, Pod).SerializeToString(), encoding)

    first = await create(cluster, sent("a"))
    assert await create(cluster, sent("b")) == first
    assert first["spec"]["containers"][0]["resources"] == {"limits": {"cpu": "500m"}, "requests": {"cpu": "500m"}}


async def test_metadata_is_looked_at_every_time(cluster: Cluster) -> None:
    """A known spec does not let a bad name through."""
    await create(cluster, body(pod("a")))
    with pytest.raises(StatusError) as raised:
        await create(cluster, body(pod("B")))
    assert raised.value.code == 422


async def test_unknown_fields_are_warned_of_every_time(cluster: Cluster) -> None:
    """In the spec, beside it, and when others did not want to hear of them."""
    strange = {**SPEC, "foo": 1}
    for name, options in (("a", WriteOptions(field_validation="Ignore")), ("b", PLAIN), ("c", PLAIN)):
        call = cluster.call("pods", "default/")
        await cluster.objects.create(call, body(pod(name, strange)), options)
        assert call.warnings == ([] if name == "a" else ['unknown field "spec.foo"'])
    with pytest.raises(StatusError, match=r'unknown field "spec\.foo"'):
        await cluster.create("pods", "default/", pod("d", strange), WriteOptions(field_validation="Strict"))


async def test_keys_that_are_repeated_are_warned_of(cluster: Cluster) -> None:
    """Also in a text whose last values are a known spec."""
    await create(cluster, body(pod("a")))
    text = json.dumps(pod("b"))[:-1] + ', "spec": ' + json.dumps(SPEC) + "}"
    call = cluster.call("pods", "default/")
    await cluster.objects.create(call, Body(text.encode(), Encoding.JSON), PLAIN)
    assert call.warnings == ['duplicate field "spec"']


async def test_another_kind_with_a_known_spec_is_refused(cluster: Cluster) -> None:
    """Before anything else."""
    await create(cluster, body(pod("a")))
    with pytest.raises(StatusError, match="cannot be handled as a Pod"):
        await create(cluster, body({**pod("b"), "kind": "Service"}))


async def test_specs_that_were_refused_are_refused_again(cluster: Cluster) -> None:
    """Only what is right is remembered as right."""
    for _ in range(2):
        with pytest.raises(StatusError) as raised:
            await create(cluster, body(pod("a", {"containers": []})))
        assert raised.value.code == 422


async def test_an_update_with_the_stored_spec_still_looks_at_the_rest(cluster: Cluster) -> None:
    """Protobuf of any client is brought into stored form beside a spec that is in it already."""
    await cluster.create("pods", "default/", pod("a"))
    stored = Pod.FromString((await cluster.objects.get(cluster.call("pods", "default/a"), GetOptions())).raw)
    stored.status.phase = "Running"
    stored.status.message = ""
    stored.status.hostIP = ""
    call = cluster.call("pods/status", "default/a")
    written = await cluster.objects.update(call, Body(stored.SerializeToString(), Encoding.PROTOBUF), PLAIN)
    found = Pod.FromString(written.item.raw)
    assert found.status.phase == "Running"
    assert not found.status.HasField("message")
    assert found.spec == stored.spec


def test_nothing_but_the_spec_decides() -> None:
    """What is remembered by the spec depends on nothing else: defaults, rules and warnings, of every field there is."""
    full = Pod.FromString(unwrap(Path("tests/data/kubernetes/core.v1.Pod.pb").read_bytes()).raw)
    bare = Pod()
    bare.spec.CopyFrom(full.spec)
    pods = resource("pods")
    rules = rules_for(pods)
    for one in (full, bare):
        apply_defaults(pods, one)
    assert full.spec == bare.spec
    assert rules.create(full) == rules.create(bare) != []
    assert rules.warnings(full) == rules.warnings(bare)
