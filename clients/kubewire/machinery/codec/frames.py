"""Lists and watch events around objects that are already bytes, in protobuf and in JSON.

A list message is its metadata and its items, each behind a tag and a length, whatever the kind; a watch event is its
type and the object in an envelope of its own, and a stream of them has each behind four bytes of length.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import orjson

from kubewire.machinery.codec.envelope import wrap
from kubewire.machinery.codec.json_text import escape_html
from kubewire.machinery.codec.wire import field, varint
from kubewire.machinery.json_value import JsonObject

if TYPE_CHECKING:
    from kubewire.machinery.gvk import GroupVersionKind

EMPTY_SELF_LINK: Final = b"\x0a\x00"
"""Field 1 of ListMeta, which stock servers write although it is always empty."""


def list_item(raw: bytes) -> bytes:
    """An object's bytes as field 2 (`items`) of any kind's list message."""
    return b"\x12" + varint(len(raw)) + raw


def list_meta(resource_version: str, continue_token: str = "", remaining: int | None = None) -> bytes:
    """The bytes of a ListMeta."""
    meta = EMPTY_SELF_LINK + field(2, resource_version.encode()) + field(3, continue_token.encode())
    return meta if remaining is None else meta + b"\x20" + varint(remaining)


def list_message(meta: bytes, framed_items: Iterable[bytes]) -> bytes:
    """The bytes of a list message from those of its ListMeta and of its items as `list_item` makes them."""
    return b"".join((field(1, meta), *framed_items))


def list_json(gvk: GroupVersionKind, meta: JsonObject, items: Iterable[bytes]) -> bytes:
    """A list as JSON from its items' JSON; `gvk` is the list's own, e.g. of PodList. Without a newline at the end."""
    head = orjson.dumps({"kind": gvk.kind, "apiVersion": gvk.api_version, "metadata": meta})
    return b"".join((_escaped(head)[:-1], b',"items":[', b",".join(items), b"]}"))


def watch_message(event_type: str, raw: bytes, api_version: str, kind: str) -> bytes:
    """The bytes of a `meta.v1.WatchEvent`."""
    return field(1, event_type.encode()) + field(2, field(1, wrap(raw, api_version, kind)))


def watch_frame(event_type: str, raw: bytes, api_version: str, kind: str) -> bytes:
    """A watch event as REST streams it in protobuf: four bytes of length, most significant first, then the message."""
    message = watch_message(event_type, raw, api_version, kind)
    return len(message).to_bytes(4, "big") + message


def watch_line(event_type: str, json: bytes) -> bytes:
    """A watch event as REST streams it in JSON, one a line."""
    return b'{"type":"%b","object":%b}\n' % (event_type.encode(), json)


def _escaped(json: bytes) -> bytes:
    return escape_html(json.decode("latin-1")).encode("latin-1")
