"""The storage envelope."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubewire.api.runtime.runtime_pb2 import Unknown
from kubewire.machinery.codec.envelope import MAGIC, unwrap, wrap
from kubewire.machinery.codec.errors import MalformedProtobuf


@given(st.binary(max_size=400), st.text(max_size=200), st.text(max_size=90))
def test_what_is_wrapped_is_unwrapped(raw: bytes, api_version: str, kind: str) -> None:
    """Whatever the names and the bytes."""
    assert unwrap(wrap(raw, api_version, kind)) == (api_version, kind, raw)


@given(st.binary(max_size=300))
def test_protobuf_reads_it(raw: bytes) -> None:
    """The envelope is a runtime.Unknown behind a magic number, with empty encodings written out."""
    data = wrap(raw, "apps/v1", "Deployment")
    unknown = Unknown.FromString(data[len(MAGIC) :])
    assert data.startswith(MAGIC)
    assert (unknown.typeMeta.apiVersion, unknown.typeMeta.kind, unknown.raw) == ("apps/v1", "Deployment", raw)
    assert unknown.HasField("contentEncoding")
    assert unknown.HasField("contentType")


def test_other_writers_envelopes_are_read() -> None:
    """Without the empty fields, in another order, with a content type, without names."""
    unknown = Unknown(raw=b"x")
    unknown.typeMeta.kind = "Pod"
    unknown.typeMeta.apiVersion = "v1"
    meta = b"\x0a\x09" + unknown.typeMeta.SerializeToString()
    assert unwrap(MAGIC + unknown.SerializeToString()) == ("v1", "Pod", b"x")
    assert unwrap(MAGIC + b"\x12\x01x" + meta) == ("v1", "Pod", b"x")
    unknown.contentType = "application/vnd.kubernetes.protobuf"
    assert unwrap(MAGIC + unknown.SerializeToString()) == ("v1", "Pod", b"x")
    assert unwrap(MAGIC) == ("", "", b"")


BAD = {
    b"": "expected prefix 6b 38 73 00",
    b"k8s": "expected prefix",
    b'{"kind":"Pod"}': "expected prefix",
    MAGIC + b"\x0a\x09": r"no runtime\.Unknown",
    wrap(b"abc", "v1", "Pod")[:-6]: r"no runtime\.Unknown",
    MAGIC + Unknown(raw=b"x", contentEncoding="gzip").SerializeToString(): "unknown content encoding 'gzip'",
    MAGIC + b"\x0a\x04\x0a\x02\xff\xfe\x12\x00": "no UTF-8",
}


@pytest.mark.parametrize(("data", "message"), BAD.items())
def test_damaged_envelopes_are_refused(data: bytes, message: str) -> None:
    """With the reason."""
    with pytest.raises(MalformedProtobuf, match=message):
        unwrap(data)
