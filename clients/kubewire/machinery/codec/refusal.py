"""What a client is told about a body that cannot be read, as Kubernetes words it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kubewire.machinery.codec.errors import DecodeError, MalformedJson, MalformedProtobuf, MalformedYaml
from kubewire.machinery.errors import StatusError, bad_request
from kubewire.machinery.quoting import quote

if TYPE_CHECKING:
    from kubewire.machinery.gvk import GroupVersionKind

_SHOWN: Final = 30


def refusal(error: DecodeError, data: bytes, gvk: GroupVersionKind) -> StatusError:
    """400 BadRequest for a body that was to hold a `gvk`.

    A body whose kind can be read "cannot be handled as" it; any other "is unrecognized", and its beginning is shown.
    """
    if isinstance(error, MalformedJson):
        return _unrecognized(f"couldn't get version/kind; json parse error: {error}", data, gvk.kind)
    if isinstance(error, (MalformedYaml, MalformedProtobuf)):
        return _unrecognized(str(error), data, gvk.kind)
    return bad_request(f"{gvk.kind} in version {quote(gvk.version)} cannot be handled as a {gvk.kind}: {error}")


def _unrecognized(reason: str, data: bytes, kind: str) -> StatusError:
    return bad_request(f"the object provided is unrecognized (must be of type {kind}): {reason} ({summary(data)})")


def summary(data: bytes) -> str:
    """The beginning of a body: as text if it looks like JSON, else in hexadecimal digits."""
    if not data:
        return "<empty>"
    shown = data[:_SHOWN]
    text = shown.decode("utf-8", "replace") if data[:1] == b"{" else shown.hex()
    return text if len(data) <= _SHOWN else f"{text} ..."
