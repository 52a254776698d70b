"""Attach: the streams of the process a container runs, from now on.

The runtime holds them, so it is asked for them: CRI names an address where they are served over SPDY, the one way in
which containerd 1.6 lets input end by itself. Several may attach at once; all see what is written.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final, NamedTuple

import orjson

from kubewire.kubelet.streams import runtime_streams, statuses
from kubewire.kubelet.streams.calls import drain
from kubewire.kubelet.streams.commands import running
from kubewire.machinery import errors
from kubewire.rpc.core.v1.pod_service_pb2 import AttachPodRequest, AttachPodResponse

if TYPE_CHECKING:
    from kubewire.component.spdy.session import SpdySession
    from kubewire.component.spdy.stream import Stream
    from kubewire.kubelet.contracts import PodsOnNode
    from kubewire.kubelet.streams.calls import StreamCall
    from kubewire.kubelet.streams.runtime_streams import RuntimeStreams

_STATUS_BYTES: Final = 16 * 1024


class _Streams(NamedTuple):
    """Those of one attachment; None: not asked for."""

    error: Stream
    stdin: Stream | None
    stdout: Stream | None
    stderr: Stream | None
    resize: Stream | None


class AttachStreams:
    """Serves Attach."""

    def __init__(self, pods: PodsOnNode, runtime: RuntimeStreams) -> None:
        self._pods = pods
        self._runtime = runtime

    async def serve(self, call: StreamCall[AttachPodRequest]) -> None:
        """Carry the streams until the process ends or the caller leaves.

        Raises:
            StatusError: there is no such container, it does not run, or has no such streams.
            RuntimeCallError: the runtime does not give them.
        """
        options = call.first.options
        container = running(self._pods, call.first.namespace, call.first.name, options.container)
        # Whether there is a terminal was settled when the container was made.
        tty = container.tty
        wanted = runtime_streams.Wanted(
            stdin=options.stdin and container.stdin,
            stdout=options.stdout,
            stderr=options.stderr and not tty,
            tty=tty,
        )
        if not (wanted.stdin or wanted.stdout or wanted.stderr):
            raise errors.bad_request("you must specify at least 1 of stdin, stdout, stderr that the container has")
        url = await self._runtime.attach_url(container.id, wanted)
        async with runtime_streams.connected(url) as session, _opened(session, wanted) as streams:
            await call.accept()
            await _carry(call, streams)


@asynccontextmanager
async def _opened(session: SpdySession, wanted: runtime_streams.Wanted) -> AsyncIterator[_Streams]:
    """All streams, in the order in which clients open them."""

    async def one(kind: str, *, is_wanted: bool) -> Stream | None:
        return await session.open({"streamType": kind}) if is_wanted else None

    error = await session.open({"streamType": "error"})
    yield _Streams(
        error,
        stdin=await one("stdin", is_wanted=wanted.stdin),
        stdout=await one("stdout", is_wanted=wanted.stdout),
        stderr=await one("stderr", is_wanted=wanted.stderr),
        resize=await one("resize", is_wanted=wanted.tty),
    )


async def _carry(call: StreamCall[AttachPodRequest], streams: _Streams) -> None:
    async with asyncio.TaskGroup() as group:
        feeding = group.create_task(_feed(call, streams))
        async with asyncio.TaskGroup() as sending:
            for stream, is_error in ((streams.stdout, False), (streams.stderr, True)):
                if stream is not None:
                    sending.create_task(_send(call, stream, is_error=is_error))
            # The runtime tells how it went once everything has ended.
            told = await streams.error.read_all(_STATUS_BYTES)
        _raise_failure(told)
        await call.write(AttachPodResponse(status=statuses.of_exit(0)))
        await drain(feeding)


async def _feed(call: StreamCall[AttachPodRequest], streams: _Streams) -> None:
    with suppress(ConnectionError):  # the reading side sees it too
        async for message in call:
            if message.HasField("resize") and streams.resize is not None:
                size = {"Width": message.resize.width, "Height": message.resize.height}
                await streams.resize.write(orjson.dumps(size) + b"\n")
            if streams.stdin is not None:
                await streams.stdin.write(message.stdin)
                if message.stdin_end:
                    await streams.stdin.finish()
        if streams.stdin is not None:
            await streams.stdin.finish()


async def _send(call: StreamCall[AttachPodRequest], stream: Stream, *, is_error: bool) -> None:
    while data := await stream.read():
        await call.write(AttachPodResponse(stderr=data) if is_error else AttachPodResponse(stdout=data))


def _raise_failure(told: bytes) -> None:
    """Raises StatusError for a status that is none of success."""
    try:
        status = orjson.loads(told)
    except orjson.JSONDecodeError:
        return
    if isinstance(status, dict) and status.get("status") == "Failure":
        raise errors.internal(f"the runtime ended the attachment: {status.get('message', '')}")
