"""Bodies are read in the format they are in."""

import pytest

from kubewire.api.meta.v1.options_pb2 import DeleteOptions as DeleteOptionsMessage
from kubewire.apiserver.contracts import Encoding, PatchType
from kubewire.apiserver.encoding.envelope import wrap
from kubewire.apiserver.options import DeleteOptions, Preconditions
from kubewire.apiserver.rest.bodies import read_delete_options, read_object, read_patch
from kubewire.machinery.errors import StatusError
from tests.unit.apiserver.rest.fake_request import FakeRequest

PROTOBUF = "application/vnd.kubernetes.protobuf"


def sending(body: bytes, content_type: str = "") -> FakeRequest:
    """A request with a body."""
    return FakeRequest("POST", body=[body], headers={"Content-Type": content_type} if content_type else {})


@pytest.mark.parametrize(
    ("content_type", "encoding"),
    [("", Encoding.JSON), ("application/yaml", Encoding.YAML), (PROTOBUF, Encoding.ENVELOPE)],
)
async def test_objects_are_passed_on_as_they_came(content_type: str, encoding: Encoding) -> None:
    """The core decodes them."""
    body = await read_object(sending(b"whatever", content_type))
    assert (body.data, body.encoding) == (b"whatever", encoding)


async def test_patches_say_what_they_are() -> None:
    """By their media type; others are a 415."""
    patch = await read_patch(sending(b"[]", "application/json-patch+json; charset=utf-8"))
    assert (patch.type, patch.data) == (PatchType.JSON, b"[]")
    with pytest.raises(StatusError, match="application/merge-patch") as raised:
        await read_patch(sending(b"[]", "application/json"))
    assert raised.value.code == 415


JSON = b'{"gracePeriodSeconds":0,"propagationPolicy":"Orphan","preconditions":{"uid":"u"},"dryRun":["All"]}'
EXPECTED = DeleteOptions(0, "Orphan", preconditions=Preconditions(uid="u"), dry_run=True)


def enveloped() -> bytes:
    """The same options in protobuf."""
    message = DeleteOptionsMessage(gracePeriodSeconds=0, propagationPolicy="Orphan", dryRun=["All"])
    message.preconditions.uid = "u"
    return wrap("v1", "DeleteOptions", message.SerializeToString())


async def test_delete_options_in_every_format() -> None:
    """JSON, YAML and protobuf mean the same."""
    for body, content_type in ((JSON, ""), (JSON, "application/yaml"), (enveloped(), PROTOBUF)):
        assert await read_delete_options(sending(body, content_type), {}) == EXPECTED


async def test_a_body_wins_over_the_query() -> None:
    """Without a body the query counts; with one it does not."""
    query = {"gracePeriodSeconds": "5"}
    assert (await read_delete_options(FakeRequest("DELETE"), query)).grace_period_seconds == 5
    assert (await read_delete_options(sending(b"{}"), query)).grace_period_seconds is None


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"{", ""),
        (b"[]", ""),
        (b'{"gracePeriodSeconds":"soon"}', ""),
        (b"- a", "application/yaml"),
        (b"a: [", "application/yaml"),
        (b"{}", PROTOBUF),
        (b"k8s\x00\xff", PROTOBUF),
    ],
)
async def test_malformed_delete_options_are_bad_requests(body: bytes, content_type: str) -> None:
    """Whatever is wrong with them is a 400."""
    with pytest.raises(StatusError, match="DeleteOptions") as raised:
        await read_delete_options(sending(body, content_type), {})
    assert raised.value.code == 400


async def test_unsupported_values_are_invalid() -> None:
    """A dry run that is none."""
    with pytest.raises(StatusError) as raised:
        await read_delete_options(sending(b'{"dryRun":["x"]}'), {})
    assert raised.value.code == 422
