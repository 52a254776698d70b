"""Out of the storage format."""

import pytest

from kubewire.api.runtime.runtime_pb2 import Unknown
from kubewire.apiserver.cache.envelope import ProtobufEnvelope, Undecodable
from kubewire.apiserver.encoding.envelope import wrap
from tests.unit.apiserver.cache.objects import PODS, raw_pod

UNWRAP = ProtobufEnvelope(PODS)


def test_unwrap() -> None:
    """The object's own bytes come out as they went in, however long."""
    for raw in (b"", raw_pod("a/b"), b"x" * 300, b"y" * 70_000):
        assert UNWRAP(b"k", wrap("v1", "Pod", raw)) == raw


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"k8s\0",
        b'{"kind":"Pod"}',
        wrap("v1", "Node", b""),
        wrap("v2", "Pod", b""),
        wrap("v1", "Pod", raw_pod("a/b"))[:-9],
        b"k8s\0" + Unknown(raw=b"x").SerializeToString(),
    ],
)
def test_damage(value: bytes) -> None:
    """What is not a stored object of the kind is refused, not guessed at."""
    with pytest.raises(Undecodable):
        UNWRAP(b"k", value)


def test_compressed() -> None:
    """An encoding we do not know is refused."""
    value = wrap("v1", "Pod", b"x").removesuffix(b"\x1a\x00\x22\x00") + b"\x1a\x04gzip"
    with pytest.raises(Undecodable, match="gzip"):
        UNWRAP(b"k", value)
