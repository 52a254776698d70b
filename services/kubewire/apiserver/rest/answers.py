"""Writing answers: status line and headers as bytes, bodies at once or in pieces that never hold the loop.

Heads are joined from parts that are made once per status and content type. Everything an answer may carry is here,
so that each answer has the headers Kubernetes' clients know: Audit-Id, Cache-Control, Warning, Retry-After.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from secrets import token_hex
from typing import Final

import orjson

from kubewire.apiserver.encoding.media import Format
from kubewire.apiserver.rest.compression import GZIP_HEADERS, Gzip
from kubewire.apiserver.rest.request import CLOSE, GO_ON, Request, Written
from kubewire.machinery.errors import StatusError

JSON_TYPE: Final = b"application/json"
CONTENT_TYPES: Final = {form: form.value.encode() for form in Format}
TEXT_TYPE: Final = b"text/plain; charset=utf-8"
SLOW_CLIENT_SECONDS: Final = 60.0
"""How long a client may take to read what has been written before its connection is dropped."""

_WARNING_CHARACTERS: Final = 4096
"""All warnings of one answer: more would not fit into clients' header limits."""

Header = tuple[str, str]
NO_HEADERS: Final[Sequence[Header]] = ()


CACHE_CONTROL: Final = "Cache-Control"
_NOT_CACHED: Final = b"Cache-Control: no-cache, private\r\n"


@lru_cache(maxsize=256)
def _opening(code: int, content_type: bytes, caching: bytes = _NOT_CACHED) -> bytes:
    phrase = HTTPStatus(code).phrase.encode() if code in HTTPStatus._value2member_map_ else b"Unknown"
    return b"HTTP/1.1 %d %b\r\n%bContent-Type: %b\r\nAudit-Id: " % (code, phrase, caching, content_type)


class AuditIds:
    """Identifiers of requests: unique across servers and restarts by a random start, then counted."""

    def __init__(self) -> None:
        start = token_hex(10)
        self._start: Final = f"{start[:8]}-{start[8:12]}-4{start[12:15]}-8{start[15:18]}-".encode()
        self._next = int(token_hex(4), 16)

    def make(self) -> bytes:
        """A new identifier in the form of a UUID."""
        self._next += 1
        return b"%b%012x" % (self._start, self._next)


class HttpDate:
    """The Date header's line, formatted once a second."""

    def __init__(self) -> None:
        self._second = -1
        self._line = b""

    def line(self, now_seconds: float) -> bytes:
        """Line ends of the header before, the header, and its own line ends."""
        second = int(now_seconds)
        if second != self._second:
            self._second = second
            self._line = f"\r\nDate: {formatdate(second, usegmt=True)}\r\n".encode()
        return self._line


_audit_ids: Final = AuditIds()
_date: Final = HttpDate()


def head(request: Request, code: int, content_type: bytes, headers: Iterable[Header]) -> bytes:
    """Status line and headers, without what tells the body's length."""
    says_caching = bool(headers) and any(name == CACHE_CONTROL for name, _ in headers)
    start = _opening(code, content_type, b"") if says_caching else _opening(code, content_type)
    given = request.headers.get("Audit-ID")
    audit_id = _line_of(given).encode() if given else _audit_ids.make()
    opening = start + audit_id + _date.line(request.received)
    if headers:
        opening += "".join(f"{name}: {_line_of(value)}\r\n" for name, value in headers).encode("utf-8", "replace")
    return opening + b"Connection: close\r\n" if request.message.should_close else opening


def _line_of(value: str) -> str:
    """A header's value without what would end the line or the head."""
    if value.isprintable():
        return value
    return "".join(char if char.isprintable() else " " for char in value)


def write(
    request: Request, code: int, body: bytes, content_type: bytes = JSON_TYPE, headers: Sequence[Header] = NO_HEADERS
) -> Written:
    """Write a whole answer whose body is at hand.

    Raises:
        ConnectionResetError: the client is gone.
    """
    request.code, request.size = code, len(body)
    opening = head(request, code, content_type, headers)
    if code == HTTPStatus.NOT_MODIFIED:
        data = opening + b"\r\n"
    elif request.method == "HEAD":
        data = b"%bContent-Length: %d\r\n\r\n" % (opening, len(body))
    else:
        data = b"%bContent-Length: %d\r\n\r\n%b" % (opening, len(body), body)
    request.transport.write(data)
    return finished(request)


def finished(request: Request) -> Written:
    """What to tell aiohttp once the answer is written."""
    return CLOSE if request.message.should_close else GO_ON


def start_chunks(request: Request, code: int, content_type: bytes, headers: Sequence[Header] = NO_HEADERS) -> None:
    """Begin an answer whose length is not known; chunks follow (`chunk`), then `LAST_CHUNK`."""
    request.code = code
    opening = head(request, code, content_type, headers)
    request.transport.write(opening + b"Transfer-Encoding: chunked\r\n\r\n")


def chunk(data: bytes) -> bytes:
    """One chunk of a chunked body; `data` is not empty, or it would end the body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


LAST_CHUNK: Final = b"0\r\n\r\n"


async def write_pieces(
    request: Request,
    pieces: Iterable[bytes],
    content_type: bytes = JSON_TYPE,
    headers: Sequence[Header] = NO_HEADERS,
) -> Written:
    """Write an answer that is made piece by piece, each a bounded amount of work.

    The loop turns between pieces, and a piece is only made once the client has taken most of those before it.

    Raises:
        ConnectionResetError: the client is gone, or does not read.
    """
    start_chunks(request, 200, content_type, headers)
    if request.method != "HEAD":
        for piece in pieces:
            await _write_chunk(request, piece)
            await asyncio.sleep(0)
        request.transport.write(LAST_CHUNK)
    return finished(request)


async def write_compressed(
    request: Request,
    pieces: Iterable[bytes],
    content_type: bytes,
    headers: Sequence[Header] = NO_HEADERS,
    *,
    code: int = 200,
) -> Written:
    """Like `write_pieces`, compressed on the way.

    Raises:
        ConnectionResetError: as for `write_pieces`.
    """
    start_chunks(request, code, content_type, (*headers, *GZIP_HEADERS))
    if request.method != "HEAD":
        gzip = Gzip()
        for piece in pieces:
            await _write_chunk(request, await gzip.compress(piece))
        await _write_chunk(request, gzip.finish())
        request.transport.write(LAST_CHUNK)
    return finished(request)


async def _write_chunk(request: Request, piece: bytes) -> None:
    if piece:
        request.size += len(piece)
        request.transport.writelines((b"%x\r\n" % len(piece), piece, b"\r\n"))
        await drain(request)


async def drain(request: Request) -> None:
    """Wait until the client has read most of what was written.

    Raises:
        ConnectionResetError: it is gone, or has not read for SLOW_CLIENT_SECONDS; then the connection is dropped.
    """
    if not request.connection.writing_paused:
        return
    try:
        async with asyncio.timeout(SLOW_CLIENT_SECONDS):
            await request.writer.drain()
    except TimeoutError:
        request.transport.abort()
        raise ConnectionResetError("the client does not read its answer") from None


def warning_headers(warnings: Iterable[str]) -> list[Header]:
    """`Warning: 299 - "..."` for each text, as many as fit."""
    room = _WARNING_CHARACTERS
    headers: list[Header] = []
    for text in dict.fromkeys(warnings):
        room -= len(text)
        if room < 0:
            break
        quoted = text.replace("\\", "\\\\").replace('"', '\\"')
        headers.append(("Warning", f'299 - "{quoted}"'))
    return headers


def error_headers(error: StatusError) -> Sequence[Header]:
    """Retry-After, if the error says how long."""
    seconds = error.retry_after_seconds
    return [("Retry-After", str(seconds))] if seconds else NO_HEADERS


def plain_status(error: StatusError) -> bytes:
    """A whole answer for a request that could not even be read; the connection ends with it."""
    body = orjson.dumps(error.to_json()) + b"\n"
    code = error.code
    return b"%b-\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b" % (_opening(code, JSON_TYPE), len(body), body)
