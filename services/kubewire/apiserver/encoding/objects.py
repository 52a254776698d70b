"""One object in every form a client may ask for. JSON and rows are made on demand and kept; protobuf is at hand.

An object's JSON is kept without its first two members (`kind`, `apiVersion`), since lists leave them out: what is
kept is called the tail, and every JSON answer is tails joined with openings that are made once per kind.
"""

from __future__ import annotations

from typing import Final

import orjson

from kubewire.apiserver.encoding import envelope
from kubewire.apiserver.encoding.kinds import AllKindForms, KindForms, opening_of
from kubewire.apiserver.encoding.media import META_GROUP
from kubewire.apiserver.encoding.memory import FormMemory
from kubewire.apiserver.encoding.table.rows import row_of
from kubewire.apiserver.item import Item
from kubewire.machinery.codec.encode import encode, encode_raw
from kubewire.machinery.wire import field

TAIL: Final = "json"
METADATA: Final = "metadata"
ROW: Final = "row"
PARTIAL: Final = "PartialObjectMetadata"


class ObjectForms:
    """Makes and keeps the forms of objects."""

    def __init__(self, memory: FormMemory) -> None:
        self._memory = memory
        self.kinds: Final = AllKindForms()

    # -------------------------------------------------------------------------------------------- JSON

    def tail(self, item: Item) -> bytes:
        """The object's JSON from its third member on, closing brace included."""
        forms = item.forms
        if forms is not None:
            found = forms.get(TAIL)
            if found is not None:
                return found
        return self._memory.keep(item, TAIL, self.fresh_tail(item))

    def fresh_tail(self, item: Item) -> bytes:
        """Like `tail`, not kept: for objects that will not be asked for again."""
        return encode_raw(item.raw, self.kinds.of(item.resource).message)[1:]

    def json(self, item: Item) -> bytes:
        """The whole object on one line, with the line's end."""
        return b"%b%b\n" % (self.kinds.of(item.resource).object_opening, self.tail(item))

    # -------------------------------------------------------------------------------------------- protobuf

    def protobuf(self, item: Item) -> bytes:
        """The object in its envelope."""
        kind = self.kinds.of(item.resource)
        return envelope.wrap(kind.api_version, kind.kind, item.raw)

    # -------------------------------------------------------------------------------------------- metadata only

    def metadata(self, item: Item) -> bytes:
        """The object's metadata as JSON."""
        forms = item.forms
        if forms is not None:
            found = forms.get(METADATA)
            if found is not None:
                return found
        return self._memory.keep(item, METADATA, encode(item.metadata))

    def partial_json(self, item: Item, version: str) -> bytes:
        """The object as PartialObjectMetadata of `meta.k8s.io`, without a line's end."""
        return b'%b"metadata":%b}' % (opening_of(PARTIAL, f"{META_GROUP}/{version}"), self.metadata(item))

    def partial_raw(self, item: Item) -> bytes:
        """The same as a protobuf message, without envelope."""
        return field(1, item.metadata.SerializeToString())

    def partial_protobuf(self, item: Item, version: str) -> bytes:
        """The same in its envelope."""
        return envelope.wrap(f"{META_GROUP}/{version}", PARTIAL, self.partial_raw(item))

    # -------------------------------------------------------------------------------------------- rows

    def row(self, item: Item) -> bytes:
        """The object's row with its metadata, and marks where ages belong (`rows.Ages` replaces them)."""
        forms = item.forms
        if forms is not None:
            found = forms.get(ROW)
            if found is not None:
                return found
        row = self.row_with(item, b'%b"metadata":%b}' % (_PARTIAL_V1, encode(item.metadata)))
        return self._memory.keep(item, ROW, row)

    def row_with(self, item: Item, shown: bytes) -> bytes:
        """A row that carries `shown` as its object."""
        return row_of(self.kinds.of(item.resource), item, shown)

    def full_object(self, item: Item) -> bytes:
        """The object's JSON without a line's end, as rows carry it on request."""
        return self.kinds.of(item.resource).object_opening + self.tail(item)


_PARTIAL_V1: Final = opening_of(PARTIAL, f"{META_GROUP}/v1")


def pretty(data: bytes) -> bytes:
    """JSON as humans read it: two spaces for each level."""
    return orjson.dumps(orjson.loads(data), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


__all__ = ["METADATA", "PARTIAL", "ROW", "TAIL", "KindForms", "ObjectForms", "pretty"]
