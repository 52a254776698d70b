"""In which bytes a kind is stored: the protobuf envelope, or JSON for the kinds that Kubernetes stores so."""

from __future__ import annotations

from typing import Final, Protocol

import orjson

from kubewire.apiserver.cache.envelope import ProtobufEnvelope, Undecodable
from kubewire.apiserver.encoding.envelope import wrap
from kubewire.machinery.codec.decode import decode
from kubewire.machinery.codec.encode import encode_raw
from kubewire.machinery.codec.errors import CodecError
from kubewire.machinery.messages import message_class
from kubewire.machinery.resources import Resource

_JSON: Final = "json"


class StoredForm(Protocol):
    """One kind's way from an object's bytes to what is stored, and back."""

    def wrap(self, raw: bytes, /) -> bytes:
        """What is stored."""
        ...

    def __call__(self, key: bytes, value: bytes, /) -> bytes:
        """The object's bytes; raises Undecodable."""
        ...


class ProtobufForm:
    """The protobuf message in Kubernetes' envelope, under the stored version's name."""

    def __init__(self, resource: Resource) -> None:
        assert resource.storage is not None, f"{resource.group_resource} is not stored"
        self._version = str(resource.storage.version)
        self._kind = resource.kind
        self._unwrap = ProtobufEnvelope(resource)

    def wrap(self, raw: bytes) -> bytes:
        """See StoredForm."""
        return wrap(self._version, self._kind, raw)

    def __call__(self, key: bytes, value: bytes) -> bytes:
        """See StoredForm."""
        return self._unwrap(key, value)


class JsonForm:
    """JSON in the version that is served. Another version's text is read field by field as if it were that one."""

    def __init__(self, resource: Resource) -> None:
        self._gvk = resource.gvk
        self._name = resource.message
        self._message = message_class(resource.message)

    def wrap(self, raw: bytes) -> bytes:
        """See StoredForm."""
        return encode_raw(raw, self._name, self._gvk) + b"\n"

    def __call__(self, key: bytes, value: bytes) -> bytes:
        """See StoredForm."""
        try:
            return decode(value, self._message).SerializeToString(deterministic=True)
        except (CodecError, orjson.JSONDecodeError) as error:
            raise Undecodable(f"the value of {key!r} is no stored {self._gvk.kind}: {error}") from None


def stored_form(resource: Resource) -> StoredForm:
    """The form of a kind that is kept as `resource`."""
    assert resource.storage is not None, f"{resource.group_resource} is not stored"
    return JsonForm(resource) if resource.storage.encoding == _JSON else ProtobufForm(resource)
