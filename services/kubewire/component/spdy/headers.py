"""Header blocks: names and values, compressed with one context for each direction of a connection.

The dictionary is part of the protocol: both ends begin with the words that HTTP used to have most.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Mapping
from typing import Final

from kubewire.component.spdy.errors import SpdyError

BLOCK_BYTES: Final = 64 * 1024
"""Longest block that is taken, decompressed."""

_NUMBER: Final = struct.Struct(">I")
_WORDS: Final = (
    "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow "
    "authorization cache-control connection content-base content-encoding content-language content-length "
    "content-location content-md5 content-range content-type date etag expect expires from host if-match "
    "if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma "
    "proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade "
    "user-agent vary via warning www-authenticate method get status"
)
_MORE: Final = ("200 OK", "version", "HTTP/1.1", "url", "public", "set-cookie", "keep-alive", "origin")
_TEXT: Final = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
    "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized"
    "403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable"
    "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT"
    "chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,"
    "text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0."
)
DICTIONARY: Final = (
    b"".join(_NUMBER.pack(len(word)) + word.encode() for word in (*_WORDS.split(), *_MORE)) + _TEXT.encode()
)


class HeaderWriter:
    """Compresses the blocks that are sent."""

    def __init__(self) -> None:
        self._zlib = zlib.compressobj(zdict=DICTIONARY)

    def block(self, headers: Mapping[str, str]) -> bytes:
        """A block; names go out in lower case."""
        plain = _NUMBER.pack(len(headers)) + b"".join(_texts(headers.items()))
        return self._zlib.compress(plain) + self._zlib.flush(zlib.Z_SYNC_FLUSH)


class HeaderReader:
    """Decompresses the blocks that are received."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(zdict=DICTIONARY)

    def headers(self, block: bytes) -> dict[str, str]:
        """What a block has; of a repeated name the first value.

        Raises:
            SpdyError: it is malformed, or too long.
        """
        try:
            plain = self._zlib.decompress(block, BLOCK_BYTES)
        except zlib.error as error:
            raise SpdyError(f"a header block cannot be decompressed: {error}") from None
        if self._zlib.unconsumed_tail:
            raise SpdyError(f"a header block is longer than {BLOCK_BYTES} bytes")
        return _parsed(plain)


def _texts(pairs: Iterable[tuple[str, str]]) -> Iterable[bytes]:
    for name, value in pairs:
        for text in (name.lower().encode(), value.encode()):
            yield _NUMBER.pack(len(text)) + text


def _parsed(plain: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    try:
        (count,) = _NUMBER.unpack_from(plain)
        offset = _NUMBER.size
        for _ in range(count):
            name, offset = _text(plain, offset)
            value, offset = _text(plain, offset)
            found[name.lower()] = value.partition("\0")[0]
    except (struct.error, UnicodeDecodeError):
        raise SpdyError("a header block is malformed") from None
    return found


def _text(plain: bytes, offset: int) -> tuple[str, int]:
    (length,) = _NUMBER.unpack_from(plain, offset)
    start = offset + _NUMBER.size
    if start + length > len(plain):
        raise SpdyError("a header block is malformed")
    return plain[start : start + length].decode(), start + length
