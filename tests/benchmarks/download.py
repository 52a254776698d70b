"""One large answer, fetched with as little work as TLS allows: what is measured is the server, not its client.

A blocking socket that reads into one buffer takes a fraction of the processor time of an event loop's protocol, which
copies every record several times.
"""

from __future__ import annotations

import socket
import ssl
import time

from tests.benchmarks.http_load import Target

_BUFFER_BYTES = 1 << 18
_LAST_CHUNK = b"\r\n0\r\n\r\n"
_SECONDS = 60.0


def seconds_to_fetch(target: Target, request: bytes) -> float:
    """Seconds from sending a request until the last byte of its answer; blocks, so call it in a thread.

    Raises:
        RuntimeError: the status was not 200.
    """
    with socket.create_connection((target.host, target.port), timeout=_SECONDS) as plain:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with target.trust.wrap_socket(plain, server_hostname=target.host) as connection:
            begun = time.perf_counter()
            connection.sendall(request)
            _read_answer(connection)
            return time.perf_counter() - begun


def _read_answer(connection: ssl.SSLSocket) -> None:
    """Read one answer to its end and forget it."""
    buffer = memoryview(bytearray(_BUFFER_BYTES))
    head = b""
    while b"\r\n\r\n" not in head:
        head += bytes(buffer[: _more(connection, buffer)])
    if not head.startswith(b"HTTP/1.1 200 "):
        raise RuntimeError(f"{head[:300]!r}")
    fields, _, begin = head.partition(b"\r\n\r\n")
    length = _content_length(fields)
    received, tail = len(begin), begin[-len(_LAST_CHUNK) :]
    while tail != _LAST_CHUNK if length is None else received < length:
        count = _more(connection, buffer)
        received += count
        tail = (tail + bytes(buffer[max(0, count - len(_LAST_CHUNK)) : count]))[-len(_LAST_CHUNK) :]


def _more(connection: ssl.SSLSocket, buffer: memoryview) -> int:
    count = connection.recv_into(buffer)
    if not count:
        raise RuntimeError("the server closed the connection")
    return count


def _content_length(fields: bytes) -> int | None:
    """None where the body is chunked."""
    for line in fields.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return None
