r"""Taking an object out of Kubernetes' storage format: `k8s\0`, then `runtime.Unknown` with version, kind and bytes.

An object is stored in one version for all who read it, so everything before the object's own bytes is the same for
all objects of a kind: it is compared, not parsed.
"""

from __future__ import annotations

from google.protobuf.message import DecodeError

from kubewire.api.runtime.runtime_pb2 import Unknown
from kubewire.apiserver.encoding.envelope import MAGIC, opening
from kubewire.machinery.resources import Resource


class Undecodable(ValueError):
    """A stored value that is not an object of its kind; the message says why, and holds nothing of the value."""


class ProtobufEnvelope:
    """The transform of kinds that are stored as they are served: stored value in, the object's own bytes out.

    Raises when called:
        Undecodable: the value is damaged, encoded in an unknown way, or of another kind or version.
    """

    def __init__(self, resource: Resource) -> None:
        assert resource.storage is not None, f"{resource.group_resource} is not stored"
        version = str(resource.storage.version)
        self._header = opening(version, resource.kind, 0)[:-1]  # without the length, which differs
        self._what = f"{version} {resource.kind}"

    def __call__(self, key: bytes, value: bytes) -> bytes:
        """The object's own bytes. Other transforms need the key, so all are given it."""
        if not value.startswith(self._header):
            raise Undecodable(f"the value of {key!r} does not begin as a stored {self._what}")
        try:
            unknown = Unknown.FromString(value[len(MAGIC) :])
        except DecodeError:
            raise Undecodable(f"the envelope of {key!r} is damaged") from None
        if unknown.contentEncoding:
            raise Undecodable(f"the value of {key!r} has the unknown encoding {unknown.contentEncoding!r}")
        return unknown.raw
