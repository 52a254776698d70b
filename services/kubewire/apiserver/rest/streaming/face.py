"""Requests for streams, by subresource: options read, the kubelet called, and the bytes carried."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kubewire.apiserver.rest.request import CLOSE
from kubewire.apiserver.rest.streaming import port_channels, port_forward, queries, websocket
from kubewire.apiserver.rest.streaming.channels import REMOTE_COMMANDS
from kubewire.apiserver.rest.streaming.logs import write_log
from kubewire.apiserver.rest.streaming.remote_commands import carry
from kubewire.apiserver.rest.streaming.websocket import WebSocket
from kubewire.apiserver.rest.watching import Leave
from kubewire.machinery import errors
from kubewire.rpc.core.v1.pod_service_pb2 import (
    AttachPodRequest,
    ExecPodRequest,
    PortForwardPodRequest,
    StreamPodLogsRequest,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from kubewire.apiserver.metrics import EndpointMetrics
    from kubewire.apiserver.rest.asked import Asked
    from kubewire.apiserver.rest.request import Written
    from kubewire.apiserver.streams.pod_streams import PodStreams, Prepared

UPGRADE_REQUIRED: Final = "Upgrade request required"


class StreamFace:
    """Serves requests for streams. Each lasts as long as it likes."""

    def __init__(self, streams: PodStreams) -> None:
        self._streams = streams
        self._handlers: Mapping[str, Callable[[Asked], Awaitable[Written]]] = {
            "log": self._log,
            "exec": self._exec,
            "attach": self._attach,
            "portforward": self._port_forward,
        }

    async def serve(self, asked: Asked, series: EndpointMetrics) -> Written:
        """Answer a request.

        Raises:
            StatusError: whatever keeps it from being served.
            ConnectionError: the client is gone.
        """
        series.running.inc()
        try:
            return await self._handlers[asked.endpoint.subresource](asked)
        finally:
            series.running.dec()

    async def _log(self, asked: Asked) -> Written:
        request = StreamPodLogsRequest(options=queries.log_options(asked.query))
        return await write_log(asked.request, await self._streams.logs(asked.call, request))

    async def _exec(self, asked: Asked) -> Written:
        options = queries.exec_options(asked.query, asked.request.query_text)
        self._streams.authorize(asked.call, asked.verb)
        return await self._command(asked, await self._streams.execute(asked.call, ExecPodRequest(options=options)))

    async def _attach(self, asked: Asked) -> Written:
        options = queries.attach_options(asked.query)
        self._streams.authorize(asked.call, asked.verb)
        return await self._command(asked, await self._streams.attach(asked.call, AttachPodRequest(options=options)))

    async def _port_forward(self, asked: Asked) -> Written:
        request = asked.request
        self._streams.authorize(asked.call, asked.verb)
        prepared = await self._streams.forward(asked.call, PortForwardPodRequest())
        if not websocket.is_wanted(request):
            raise errors.bad_request(UPGRADE_REQUIRED)
        protocol = websocket.negotiate(request, (port_forward.PROTOCOL, *port_channels.PROTOCOLS))
        channels = port_channels.PROTOCOLS.get(protocol)
        ports = [] if channels is None else port_channels.ports_of(queries.words(request.query_text, "ports"))
        socket = WebSocket.accept(request, protocol)
        with Leave(request):
            if channels is None:
                await port_forward.carry(socket, prepared)
            else:
                await port_channels.carry(socket, channels, prepared, ports)
        return CLOSE

    async def _command(self, asked: Asked, prepared: Prepared) -> Written:
        """Exec and attach: what is wrong by now is an answer; what fails from here on goes by the error channel."""
        request = asked.request
        if not websocket.is_wanted(request):
            raise errors.bad_request(UPGRADE_REQUIRED)
        protocol = REMOTE_COMMANDS[websocket.negotiate(request, list(REMOTE_COMMANDS))]
        socket = WebSocket.accept(request, protocol.name)
        with Leave(request):
            await carry(socket, protocol, prepared)
        return CLOSE
