"""Pages as bodies in pieces: each piece is a bounded amount of work, so that a list of any length never holds the loop.

Nothing is encoded twice: a JSON list is its items' tails joined, a protobuf list the stored bytes joined, a table
its rows joined with the ages filled in. What has to be made for the first time is made between looks at the clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from time import perf_counter
from typing import Final

import orjson

from kubewire.apiserver.encoding import envelope
from kubewire.apiserver.encoding.kinds import opening_of
from kubewire.apiserver.encoding.media import META_GROUP, Format, View, Wanted
from kubewire.apiserver.encoding.objects import PARTIAL, ObjectForms, pretty
from kubewire.apiserver.encoding.table.rows import Ages
from kubewire.apiserver.item import Item, Page
from kubewire.machinery.json_value import JsonObject
from kubewire.machinery.resources import Resource
from kubewire.machinery.wire import field, varint

PIECE_BYTES: Final = 512 * 1024
"""Aim of a piece: encrypting and sending it takes about a millisecond."""

_JOINED_BYTES: Final = 16 << 20
"""Lists up to this size are kept joined: that takes no longer than a piece should. Longer ones are not held twice."""

_JOINED: Final = "rest joined"
"""Where they are kept on a page."""

_PIECE_SECONDS: Final = 0.003
"""Longest work on one piece, when forms have to be made first."""

_CLOCK_EVERY: Final = 16
"""Items made between looks at the clock."""

_OPENINGS: Final = {
    version: opening_of(PARTIAL, f"{META_GROUP}/{version}") + b'"metadata":' for version in ("v1", "v1beta1")
}


class ListForms:
    """Writes pages."""

    def __init__(self, objects: ObjectForms) -> None:
        self._objects = objects

    def json(self, resource: Resource, page: Page) -> Iterator[bytes]:
        """The kind's list."""
        opening = self._objects.kinds.of(resource).list_opening
        yield b'%b"metadata":%b,"items":[' % (opening, list_metadata(page))
        yield from joined(page.items, self._objects.tail, b"{", b",{")
        yield b"]}\n"

    def pretty_json(self, resource: Resource, page: Page) -> Iterator[bytes]:
        """The kind's list with line breaks and indentation."""
        kind = self._objects.kinds.of(resource)
        head = {"kind": kind.list_kind, "apiVersion": kind.api_version, "metadata": _metadata(page)}
        yield pretty(orjson.dumps(head)).removesuffix(b"\n}\n") + b',\n  "items": ['
        yield from joined(page.items, self._indented, b"\n    ", b",\n    ")
        yield b"\n  ]\n}\n" if page.items else b"]\n}\n"

    def _indented(self, item: Item) -> bytes:
        return pretty(b"{" + self._objects.tail(item)).rstrip().replace(b"\n", b"\n    ")

    def protobuf(self, resource: Resource, page: Page) -> Iterator[bytes]:
        """The kind's list in its envelope: the items' bytes as they are, joined once while none of them changes."""
        kind = self._objects.kinds.of(resource)
        body = page.item_forms.get(_JOINED)
        if body is None:
            framed = [item.framed for item in page.items]
            if sum(map(len, framed)) > _JOINED_BYTES:
                return _protobuf(kind.api_version, kind.list_kind, page, framed)
            body = page.item_forms[_JOINED] = b"".join(framed)
        return _joined_protobuf(kind.api_version, kind.list_kind, page, body)

    def table(self, resource: Resource, page: Page, wanted: Wanted, shows: str, now_seconds: float) -> Iterator[bytes]:
        """The page as a table; `shows` is what each row carries: Metadata, Object or None."""
        columns = self._objects.kinds.of(resource).columns
        yield table_opening(wanted.view_version, list_metadata(page), columns)
        ages = Ages(now_seconds)
        for piece in joined(page.items, self.row_maker(wanted.view_version, shows), b"", b","):
            yield ages.fill(piece)
        yield b"]}\n"

    def row_maker(self, version: str, shows: str) -> Callable[[Item], bytes]:
        """What makes a row that carries what was asked for."""
        objects = self._objects
        if shows == "None":
            return lambda item: objects.row_with(item, b"null")
        if shows == "Object":
            return lambda item: objects.row_with(item, objects.full_object(item))
        if version == "v1":
            return objects.row
        return lambda item: objects.row_with(item, objects.partial_json(item, version))

    def partial_json(self, page: Page, version: str) -> Iterator[bytes]:
        """The page as PartialObjectMetadataList."""
        opening = opening_of(f"{PARTIAL}List", f"{META_GROUP}/{version}")
        yield b'%b"metadata":%b,"items":[' % (opening, list_metadata(page))
        first = _OPENINGS[version]
        yield from joined(page.items, self._objects.metadata, first, b"}," + first)
        yield b"}]}\n" if page.items else b"]}\n"

    def partial_protobuf(self, page: Page, version: str) -> Iterator[bytes]:
        """The same in protobuf."""
        framed = [field(2, self._objects.partial_raw(item)) for item in page.items]
        return _protobuf(f"{META_GROUP}/{version}", f"{PARTIAL}List", page, framed)

    def pieces(self, resource: Resource, page: Page, wanted: Wanted, shows: str, now_seconds: float) -> Iterator[bytes]:
        """The page in any form; as JSON if YAML is wanted, which is made of it."""
        is_json = wanted.format is not Format.PROTOBUF
        if wanted.view is View.TABLE:
            return self.table(resource, page, wanted, shows, now_seconds)
        if wanted.view is View.METADATA_LIST:
            version = wanted.view_version
            return self.partial_json(page, version) if is_json else self.partial_protobuf(page, version)
        if not is_json:
            return self.protobuf(resource, page)
        return self.pretty_json(resource, page) if wanted.pretty else self.json(resource, page)


def joined(items: Sequence[Item], make: Callable[[Item], bytes], first: bytes, between: bytes) -> Iterator[bytes]:
    """All items' forms, `first` before the first and `between` before each other, in pieces of bounded work."""
    before = first
    parts: list[bytes] = []
    size = 0
    deadline = perf_counter() + _PIECE_SECONDS
    for count, item in enumerate(items, 1):
        part = make(item)
        parts.append(part)
        size += len(part)
        if size >= PIECE_BYTES or (not count % _CLOCK_EVERY and perf_counter() > deadline):
            yield before + between.join(parts)
            before, parts, size = between, [], 0
            deadline = perf_counter() + _PIECE_SECONDS
    if parts:
        yield before + between.join(parts)


def _protobuf(api_version: str, kind: str, page: Page, framed: Sequence[bytes]) -> Iterator[bytes]:
    """An enveloped list of items that are framed as field 2 already."""
    metadata = field(1, _raw_metadata(page))
    yield envelope.opening(api_version, kind, len(metadata) + sum(map(len, framed))) + metadata
    begin = size = 0
    for end, frame in enumerate(framed, 1):
        size += len(frame)
        if size >= PIECE_BYTES:
            yield b"".join(framed[begin:end])
            begin, size = end, 0
    yield b"".join(framed[begin:]) + envelope.CLOSING


def _joined_protobuf(api_version: str, kind: str, page: Page, body: bytes) -> Iterator[bytes]:
    """The same of items that were joined before."""
    metadata = field(1, _raw_metadata(page))
    yield envelope.opening(api_version, kind, len(metadata) + len(body)) + metadata
    for begin in range(0, len(body), PIECE_BYTES):
        yield body[begin : begin + PIECE_BYTES]
    yield envelope.CLOSING


def _raw_metadata(page: Page) -> bytes:
    """`meta.v1.ListMeta` of a page."""
    parts = [b"\x0a\x00", field(2, str(page.revision).encode())]
    parts.append(field(3, page.continue_token.encode()))
    if page.remaining is not None and page.continue_token:
        parts.append(b"\x20" + varint(page.remaining))
    return b"".join(parts)


def _metadata(page: Page) -> JsonObject:
    metadata: JsonObject = {"resourceVersion": str(page.revision)}
    if page.continue_token:
        metadata["continue"] = page.continue_token
        if page.remaining is not None:
            metadata["remainingItemCount"] = page.remaining
    return metadata


def list_metadata(page: Page) -> bytes:
    """ListMeta of a page as JSON."""
    if not page.continue_token:
        return b'{"resourceVersion":"%d"}' % page.revision
    return orjson.dumps(_metadata(page))


def table_opening(version: str, metadata: bytes, columns: bytes | None) -> bytes:
    """A table up to its first row; without columns for rows that follow others in a stream."""
    opening = opening_of("Table", f"{META_GROUP}/{version}")
    shown = b'"columnDefinitions":%b,' % columns if columns is not None else b'"columnDefinitions":null,'
    return b'%b"metadata":%b,%b"rows":[' % (opening, metadata, shown)
