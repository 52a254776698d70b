"""The envelope is upstream's, byte for byte."""

from kubewire.api.core.v1.config_map_pb2 import ConfigMap
from kubewire.api.runtime.runtime_pb2 import Unknown
from kubewire.apiserver.encoding.envelope import CLOSING, MAGIC, opening, wrap


def test_wrapped_messages_are_unknowns() -> None:
    """After the magic comes a runtime.Unknown that names the kind and holds the message."""
    raw = ConfigMap(data={"key": "v" * 300}).SerializeToString()
    data = wrap("v1", "ConfigMap", raw)
    assert data.startswith(MAGIC)
    unknown = Unknown.FromString(data[4:])
    assert (unknown.typeMeta.apiVersion, unknown.typeMeta.kind) == ("v1", "ConfigMap")
    assert unknown.raw == raw
    assert unknown.HasField("contentEncoding")
    assert unknown.HasField("contentType")


def test_an_envelope_can_be_sent_in_pieces() -> None:
    """Opening, message and closing are what wrapping at once gives."""
    raw = b"x" * 1000
    assert opening("apps/v1", "DeploymentList", len(raw)) + raw + CLOSING == wrap("apps/v1", "DeploymentList", raw)
