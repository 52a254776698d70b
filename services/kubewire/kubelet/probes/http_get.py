"""`httpGet`: a request over a connection of its own; 200 to 399 is a success.

Redirects are followed on the same host; one that leads to another host is a success with a warning, so that a probe
never tests somebody else. Certificates are not verified, since a probe asks for life, not for identity.
"""

from __future__ import annotations

import asyncio
import os
import re
import ssl
from collections.abc import Mapping
from functools import cache
from typing import Final, NamedTuple
from urllib.parse import quote, urljoin, urlsplit

from kubewire.api.core.v1.container_pb2 import Container
from kubewire.api.core.v1.probe_pb2 import HTTPGetAction
from kubewire.kubelet.probes.ports import host_and_port, port_number
from kubewire.kubelet.probes.reply import OUTPUT_AT_MOST, SUCCESS, Outcome, ProbeError, Reply, failure

USER_AGENT: Final = "kube-probe/1.36"
REDIRECTS_AT_MOST: Final = 10

_HEAD_AT_MOST: Final = 64 << 10
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_SAFE: Final = "/%:@!$&'()*+,;=?~-._"
_LINE_END: Final = re.compile(r"[\r\n]")
_STATUS: Final = re.compile(rb"HTTP/1\.[01] ([1-5][0-9][0-9])[^\n]*\r?\n")


class _Response(NamedTuple):
    status: int
    location: str


class _BrokenAnswer(Exception):
    """What came is no HTTP, or broke off."""


async def http_get(action: HTTPGetAction, container: Container, pod_ip: str, timeout_seconds: float) -> Reply:
    """Make the request.

    Raises:
        ProbeError: the port has no number, or a header is none.
    """
    authority = host_and_port(action.host or pod_ip, port_number(action.port, container))
    url = f"{(action.scheme or 'HTTP').lower()}://{authority}/{action.path.removeprefix('/')}"
    headers = _headers(action)
    try:
        async with asyncio.timeout(timeout_seconds):
            return await _follow(url, headers)
    except TimeoutError:
        return failure(f'Get "{url}": no answer within {timeout_seconds:g}s')
    except _BrokenAnswer as error:
        return failure(f'Get "{url}": {error}')
    except ValueError as error:
        # Of the address, or of one that the container redirects to.
        return failure(f'Get "{url}": {error}')
    except OSError as error:
        return failure(f'Get "{url}": {_why(error)}', refused=isinstance(error, ConnectionRefusedError))


async def _follow(url: str, headers: Mapping[str, str]) -> Reply:
    first = urlsplit(url).hostname
    for _ in range(REDIRECTS_AT_MOST):
        response = await _fetch(url, headers)
        if not 200 <= response.status < 400:
            return failure(f"HTTP probe failed with statuscode: {response.status}")
        if response.status < 300:
            return SUCCESS
        target = urljoin(url, response.location)
        if response.status not in _REDIRECTS or not response.location or urlsplit(target).hostname != first:
            where = f" to {target}" if response.location else ""
            return Reply(Outcome.SUCCESS, f"redirect{where} was not followed (status {response.status})", warning=True)
        url = target
    return failure(f'Get "{url}": stopped after {REDIRECTS_AT_MOST} redirects')


async def _fetch(url: str, headers: Mapping[str, str]) -> _Response:
    """One request, one answer."""
    parts = urlsplit(url)
    is_secure = parts.scheme == "https"
    host, port = parts.hostname or "", parts.port or (443 if is_secure else 80)
    target = quote(f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}", safe=_SAFE)
    lines = [f"GET {target} HTTP/1.1"]
    if "host" not in headers:
        lines.append(f"Host: {parts.netloc}")
    lines += [f"{name}: {value}" for name, value in headers.items()]
    request = "\r\n".join([*lines, "Connection: close", "\r\n"]).encode()
    loop = asyncio.get_running_loop()
    done: asyncio.Future[_Response] = loop.create_future()
    transport, _ = await loop.create_connection(lambda: _Answer(done), host, port, ssl=_tls() if is_secure else None)
    try:
        transport.write(request)
        return await done
    finally:
        transport.abort()


def _headers(action: HTTPGetAction) -> Mapping[str, str]:
    """Ours, and the action's in their place; an empty User-Agent or Accept is not sent at all.

    Raises:
        ProbeError: one would be more than a header.
    """
    headers = {"user-agent": ("User-Agent", USER_AGENT), "accept": ("Accept", "*/*")}
    for header in action.httpHeaders:
        if _LINE_END.search(header.name + header.value):
            raise ProbeError(f"header {header.name!r}: a line must not end within its name or value")
        headers[header.name.lower()] = (header.name, header.value)
    kept = {key: pair for key, pair in headers.items() if pair[1] or key not in {"user-agent", "accept"}}
    # The key of Host is what tells that it was given.
    return {("host" if key == "host" else name): value for key, (name, value) in kept.items()}


@cache
def _tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    # Short keys and old digests are the container's own affair.
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    return context


def _why(error: OSError) -> str:
    return os.strerror(error.errno).lower() if error.errno and error.errno > 0 else str(error)


class _Answer(asyncio.Protocol):
    """Reads an answer, of the body no more than is needed to let the server finish."""

    def __init__(self, done: asyncio.Future[_Response]) -> None:
        self._done = done
        self._received = bytearray()

    def data_received(self, data: bytes) -> None:
        if self._done.done():
            return
        self._received += data
        head, separator, body = bytes(self._received).partition(b"\r\n\r\n")
        if not separator:
            if len(head) > _HEAD_AT_MOST:
                self._fail(f"more than {_HEAD_AT_MOST} bytes of headers")
        elif _is_complete(head, body):
            self._answer(head)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._done.done():
            return
        head, separator, _ = bytes(self._received).partition(b"\r\n\r\n")
        if separator:
            self._answer(head)
        else:
            self._fail("the connection was closed before an answer came" if exc is None else str(exc))

    def _answer(self, head: bytes) -> None:
        status = _STATUS.match(head + b"\r\n")
        if status is None:
            self._fail("the answer is no HTTP/1.1")
            return
        self._done.set_result(_Response(int(status[1]), _header(head, b"location")))

    def _fail(self, why: str) -> None:
        self._done.set_exception(_BrokenAnswer(why))


def _is_complete(head: bytes, body: bytes) -> bool:
    """Whether the whole answer is there; without a length it ends with the connection."""
    if len(body) >= OUTPUT_AT_MOST:
        return True
    if _header(head, b"transfer-encoding").lower().endswith("chunked"):
        return body.endswith(b"0\r\n\r\n")
    length = _header(head, b"content-length")
    return length.isdecimal() and len(body) >= int(length)


def _header(head: bytes, name: bytes) -> str:
    for line in head.split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key.strip().lower() == name:
            return value.strip().decode("latin-1")
    return ""
