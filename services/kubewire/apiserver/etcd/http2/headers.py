"""Header blocks (HPACK, RFC 7541) of gRPC calls.

Requests use literals only, so that the block of a call is the same bytes every time. Answers: we allow the peer no
dynamic table, so a block means the same wherever it stands, and what it means is remembered.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

import hpack

from kubewire.apiserver.etcd.http2.frames import CUT, END_HEADERS, END_STREAM, Frame, MalformedFrame, content

MOST_HEADER_BYTES: Final = 1 << 16
"""What the headers of one answer may take: etcd's are a hundredth of it."""

_LITERAL: Final = b"\x00"  # a name and a value follow; not to be put into the dynamic table
_METHOD_POST: Final = b"\x83"  # indexes into the static table
_SCHEME: Final = {"http": b"\x86", "https": b"\x87"}

_REMEMBERED_BLOCKS: Final = 256
_REMEMBERED_BYTES: Final = 256
"""A longer block is not worth keeping: it carries the text of an error."""


@dataclass(frozen=True, slots=True)
class Headers:
    """What a block says, once and for all.

    Attributes:
        fields: names and values; of repeated names the last one counts.
        begins_answer: the initial headers of a gRPC answer.
        is_ok: the trailers of a call that ended well.
    """

    fields: dict[str, str]
    begins_answer: bool
    is_ok: bool

    @classmethod
    def of(cls, fields: dict[str, str]) -> Headers:
        """From names and values."""
        is_grpc = fields.get("content-type", "").startswith("application/grpc")
        return cls(fields, is_grpc and fields.get(":status") == "200", fields.get("grpc-status") == "0")


def request_block(scheme: str, authority: str, path: str, metadata: Iterable[tuple[str, str]]) -> bytes:
    """The block of a unary or streaming gRPC request."""
    pairs = (
        (":path", path),
        (":authority", authority),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
        ("user-agent", "kubewire-apiserver"),
        *metadata,
    )
    fields = (_LITERAL + _text(name) + _text(value) for name, value in pairs)
    return _METHOD_POST + _SCHEME[scheme] + b"".join(fields)


def _text(value: str) -> bytes:
    """A string literal without Huffman coding; lengths up to 126 fit in one byte, longer ones continue."""
    data = value.encode()
    length = len(data)
    if length < 127:
        return bytes((length,)) + data
    rest, prefix = length - 127, bytearray((127,))
    while rest >= 128:
        prefix.append(rest % 128 + 128)
        rest //= 128
    prefix.append(rest)
    return bytes(prefix) + data


def grpc_message(fields: dict[str, str]) -> str:
    """The text of a gRPC status, which is percent-encoded."""
    return unquote(fields.get("grpc-message", ""))


class HeaderReader:
    """Reads the blocks that one peer sends on one connection.

    Attributes:
        open_stream: the stream of a block that has begun and not ended, else 0. Until it has ended, nothing but its
            parts may come.
        is_last: whether the stream ends with the block that was begun last.
    """

    def __init__(self) -> None:
        self.open_stream = 0
        self.is_last = False
        self._parts = bytearray()
        self._decoder = hpack.Decoder(max_header_list_size=MOST_HEADER_BYTES)
        self._decoder.max_allowed_table_size = self._decoder.header_table_size = 0
        self._known: dict[bytes, Headers] = {}

    def begin(self, received: Frame) -> Headers | None:
        """The headers of a HEADERS frame; None if they go on."""
        _, flags, stream, payload = received
        part = content(received) if flags & CUT else payload
        self.is_last = flags & END_STREAM != 0
        if flags & END_HEADERS:
            return self._known.get(part) or self.read(part)
        self.open_stream = stream
        self._parts[:] = part
        return None

    def go_on(self, received: Frame) -> Headers | None:
        """The headers that a CONTINUATION frame completes; None if they go on further.

        Raises:
            MalformedFrame: nothing is to be continued, or it grows without bounds.
        """
        if not self.open_stream:
            raise MalformedFrame("CONTINUATION of no headers")
        self._parts += received.payload
        if len(self._parts) > MOST_HEADER_BYTES:
            raise MalformedFrame(f"headers of more than {MOST_HEADER_BYTES} bytes")
        if not received.flags & END_HEADERS:
            return None
        self.open_stream = 0
        return self.read(bytes(self._parts))

    def read(self, block: bytes) -> Headers:
        """What a block says.

        Raises:
            MalformedFrame: the block cannot be read.
        """
        known = self._known.get(block)
        if known is None:
            try:
                read = {_str(name): _str(value) for name, value in self._decoder.decode(block, raw=True)}
            except hpack.HPACKError as error:
                raise MalformedFrame(f"header block: {error}") from None
            known = Headers.of(read)
            if len(self._known) < _REMEMBERED_BLOCKS and len(block) <= _REMEMBERED_BYTES:
                self._known[block] = known
        return known


def _str(value: str | bytes) -> str:
    return value if isinstance(value, str) else bytes(value).decode("utf-8", "replace")
