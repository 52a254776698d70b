"""Header blocks (HPACK, RFC 7541) of gRPC calls.

Requests use literals only, so that the block of a call is the same bytes every time. Answers: we allow the peer no
dynamic table, so a block means the same wherever it stands, and what it means is remembered.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from urllib.parse import unquote

import hpack

from kubewire.apiserver.etcd.http2.frames import MalformedFrame

_LITERAL: Final = b"\x00"  # a name and a value follow; not to be put into the dynamic table
_METHOD_POST: Final = b"\x83"  # indexes into the static table
_SCHEME: Final = {"http": b"\x86", "https": b"\x87"}
_REMEMBERED: Final = 256

Headers = dict[str, str]


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


class HeaderReader:
    """Reads the blocks that one peer sends on one connection."""

    def __init__(self) -> None:
        self._decoder = hpack.Decoder(max_header_list_size=1 << 16)
        self._decoder.max_allowed_table_size = 0
        self._known: dict[bytes, Headers] = {}

    def read(self, block: bytes) -> Headers:
        """Names and values; of repeated names the last one counts.

        Raises:
            MalformedFrame: the block cannot be read.
        """
        known = self._known.get(block)
        if known is None:
            try:
                known = {_str(name): _str(value) for name, value in self._decoder.decode(block)}
            except hpack.HPACKError as error:
                raise MalformedFrame(f"header block: {error}") from None
            if len(self._known) < _REMEMBERED:
                self._known[block] = known
        return known


def _str(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("utf-8", "replace")


def grpc_message(headers: Headers) -> str:
    """The text of a gRPC status, which is percent-encoded."""
    return unquote(headers.get("grpc-message", ""))
