"""The fast readers take what is usual, and give up at what is not."""

import orjson
import pytest

from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.machinery.codec.readers import UNUSUAL, plan_of, reader
from tests.conformance.wire.fixtures import ALL, Fixture, requests

POD = "k8s.io.api.core.v1.Pod"


@pytest.mark.parametrize("fixture", ALL, ids=lambda fixture: fixture.name)
def test_what_servers_write_is_usual(fixture: Fixture) -> None:
    """None of it needs the careful reader."""
    reader(fixture.message)(fixture.message_type(), fixture.value)


def test_what_clients_post_is_usual() -> None:
    """Neither do ordinary manifests."""
    for name, text in requests().items():
        if name.startswith("pod"):
            reader(POD)(Pod(), orjson.loads(text))


UNUSUAL_TEXTS = [
    '{"foo":1}',
    '{"spec":{"nodeName":null}}',
    '{"spec":{"nodeName":1}}',
    '{"spec":{"nodeName":0}}',
    '{"spec":{"hostNetwork":1}}',
    '{"spec":{"hostNetwork":0}}',
    '{"spec":{"priority":true}}',
    '{"spec":{"priority":1.0}}',
    '{"spec":{"priority":9999999999}}',
    '{"spec":{"containers":"ab"}}',
    '{"spec":{"containers":{}}}',
    '{"spec":{"containers":[null]}}',
    '{"spec":{"containers":[{"command":"ab"}]}}',
    '{"spec":{"containers":[{"command":[null]}]}}',
    '{"spec":{"nodeSelector":[]}}',
    '{"spec":{"nodeSelector":["ab"]}}',
    '{"spec":{"nodeSelector":{"a":null}}}',
    '{"spec":{"overhead":{"cpu":1.5}}}',
    '{"spec":{"securityContext":[]}}',
    '{"spec":[]}',
    '{"spec":""}',
    '{"kind":1}',
]


@pytest.mark.parametrize("text", UNUSUAL_TEXTS)
def test_what_is_unusual_is_never_taken_for_something_else(text: str) -> None:
    """Protobuf's setters take integers for booleans and texts for lists: that is noticed before."""
    with pytest.raises(UNUSUAL):
        reader(POD)(Pod(), orjson.loads(text))


def test_plans_hold_json_names() -> None:
    """Fields of inlined messages stand beside the outer ones; plain scalars are their type alone."""
    plan = plan_of("k8s.io.api.core.v1.Volume")
    assert plan["name"] is str
    assert "emptyDir" in plan
    assert "volumeSource" not in plan
    assert "kind" in plan_of(POD)
    assert "kind" not in plan_of("k8s.io.api.core.v1.PodSpec")
