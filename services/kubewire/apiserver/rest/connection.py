"""Connections of aiohttp's low-level server: who the peer is by its certificate, and what answers malformed HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from secrets import token_hex
from typing import Any, Final

from aiohttp.web_protocol import RequestHandler
from aiohttp.web_server import Server

from kubewire.apiserver.contracts import Identity
from kubewire.apiserver.rest.answers import plain_status
from kubewire.apiserver.rest.request import CLOSE, BodyBudget, Request, Written
from kubewire.component.log import Logger
from kubewire.machinery import errors

_LINE_BYTES: Final = 64 * 1024
"""Longest request line and header: selectors travel in URLs, tokens in headers."""

_LOG: Final = Logger("apiserver.rest")


class Connection(RequestHandler):
    """One client's connection."""

    # Who sent the last request, by which header, and until when that may be taken for granted.
    __slots__ = ("_subject", "budget", "caller", "caller_header", "caller_until")

    _subject: tuple[str, tuple[str, ...]] | None
    budget: BodyBudget
    caller: Identity | None
    caller_header: str
    caller_until: float

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client connected."""
        self._subject = None
        self.caller, self.caller_header, self.caller_until = None, "", 0.0
        super().connection_made(transport)

    @property
    def certificate_subject(self) -> tuple[str, tuple[str, ...]]:
        """Common name and organizations of the verified client certificate; empty without one."""
        if self._subject is None:
            certificate = self.transport.get_extra_info("peercert") if self.transport is not None else None
            self._subject = _subject(certificate or {})
        return self._subject

    def handle_error(  # type: ignore[override]  # our requests and answers are not aiohttp's
        self,
        request: Request,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> Written:
        """Answer what no handler answered: malformed HTTP, and faults of ours, which are logged here."""
        error = _hidden(exc, request) if status >= 500 else errors.bad_request(message or "malformed HTTP request")
        transport = self.transport
        if transport is not None and request.code:
            transport.abort()  # half an answer must not look like a whole one
        elif transport is not None:
            transport.write(plain_status(error))
        return CLOSE


def _hidden(exception: BaseException | None, request: Request) -> errors.StatusError:
    """What the client is told of a fault of ours: it names the entry in the log and nothing of the inside."""
    incident = token_hex(4)
    if exception is not None:
        where = {"method": request.method, "path": request.path, "incident": incident}
        _LOG.exception("request failed unexpectedly", exception, **where)
    return errors.internal(f"the server failed in a way it does not know; its log has it as incident {incident}")


def _subject(certificate: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """From what `ssl` tells of a certificate: relative names as pairs of attribute and value."""
    pairs = [pair for name in certificate.get("subject", ()) for pair in name]
    common_names = [value for attribute, value in pairs if attribute == "commonName"]
    organizations = tuple(value for attribute, value in pairs if attribute == "organizationName")
    return (common_names[0] if common_names else ""), organizations


class HttpServer(Server):
    """Makes our connections, with our requests. Bodies are taken as they come: nothing is decompressed."""

    def __init__(self, handler: Callable[[Request], Any]) -> None:
        super().__init__(handler, request_factory=Request)  # type: ignore[arg-type]  # a request of ours
        self._running_loop = asyncio.get_running_loop()
        self.budget: Final = BodyBudget()

    def __call__(self) -> Connection:
        """A protocol for a client that connects."""
        connection = Connection(
            self,
            loop=self._running_loop,
            access_log=None,  # type: ignore[arg-type]  # aiohttp takes None, its annotation does not
            auto_decompress=False,
            keepalive_timeout=180.0,
            max_line_size=_LINE_BYTES,
            max_field_size=_LINE_BYTES,
        )
        connection.budget = self.budget
        return connection
