"""What the server owns of an object's metadata."""

from random import Random
from uuid import UUID

import pytest

from kubewire.api.meta.v1.object_meta_pb2 import ObjectMeta
from kubewire.apiserver.registry.metadata import fill_new, generate_name, match_name, match_namespace
from kubewire.machinery.errors import StatusError


def test_a_new_object_gets_what_only_the_server_may_say() -> None:
    """Uid and birth are set anew, a deletion is forgotten."""
    meta = ObjectMeta(uid="mine", deletionGracePeriodSeconds=3)
    meta.deletionTimestamp.seconds = 5
    fill_new(meta, 1000, Random(1))
    assert UUID(meta.uid).version == 4
    assert meta.creationTimestamp.seconds == 1000
    assert not meta.HasField("deletionTimestamp")
    assert not meta.HasField("deletionGracePeriodSeconds")


def test_a_name_is_made_only_where_there_is_none() -> None:
    """generateName counts when the name is empty."""
    named, prefixed = ObjectMeta(name="a", generateName="b-"), ObjectMeta(generateName="b-")
    assert not generate_name(named, Random(1))
    assert named.name == "a"
    assert generate_name(prefixed, Random(1))
    assert prefixed.name.startswith("b-")
    assert len(prefixed.name) == 7


def test_the_namespace_comes_from_the_request() -> None:
    """Left out it is filled in, for cluster-scoped kinds it is dropped, and another one is a bad request."""
    for given, asked in (("", "a"), ("a", "a"), ("a", "")):
        meta = ObjectMeta(namespace=given)
        match_namespace(meta, asked)
        assert meta.namespace == asked
    with pytest.raises(StatusError, match="does not match the namespace sent on the request") as raised:
        match_namespace(ObjectMeta(namespace="b"), "a")
    assert raised.value.code == 400


@pytest.mark.parametrize(
    ("meta", "message"),
    [
        (ObjectMeta(), "the name of the object (n based on URL) was undeterminable: name must be provided"),
        (ObjectMeta(name="m"), "the name of the object (m) does not match the name on the URL (n)"),
        (
            ObjectMeta(name="n", namespace="b"),
            "the namespace of the object (b) does not match the namespace on the request (a)",
        ),
    ],
)
def test_an_object_sent_to_a_name_has_that_name(meta: ObjectMeta, message: str) -> None:
    """Another name or namespace is a bad request."""
    with pytest.raises(StatusError) as raised:
        match_name(meta, "n", "a")
    assert (raised.value.code, str(raised.value)) == (400, message)
