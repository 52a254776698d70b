"""Exec: a command in a container whose streams and terminal are a caller's, until one of them ends.

Nothing is kept on the way: a caller that does not read slows the command, a command that does not read slows the
caller. A caller that leaves takes the command along.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from kubewire.kubelet.containerd.execution import Execution, Executions
from kubewire.kubelet.containerd.pipes import ReadingPipe, Streams
from kubewire.kubelet.streams import statuses
from kubewire.kubelet.streams.calls import drain
from kubewire.machinery import errors
from kubewire.rpc.core.v1.pod_service_pb2 import ExecPodRequest, ExecPodResponse

if TYPE_CHECKING:
    from kubewire.kubelet.contracts import ContainerOnNode, PodsOnNode
    from kubewire.kubelet.streams.calls import StreamCall


class CommandStreams:
    """Serves Exec."""

    def __init__(self, pods: PodsOnNode, executions: Executions) -> None:
        self._pods = pods
        self._executions = executions

    async def serve(self, call: StreamCall[ExecPodRequest]) -> None:
        """Run the command, and tell how it ended.

        Raises:
            StatusError: there is no such container, it does not run, or nothing is to be run.
            RuntimeCallError: the command cannot be started.
        """
        options = call.first.options
        container = running(self._pods, call.first.namespace, call.first.name, options.container)
        if not options.command:
            raise errors.bad_request("you must specify at least 1 command")
        has_errors = options.stderr and not options.tty
        if not (options.stdin or options.stdout or options.stderr):
            raise errors.bad_request("you must specify at least 1 of stdin, stdout, stderr")
        wanted = Streams(stdin=options.stdin, stdout=options.stdout, stderr=has_errors)
        process = self._executions.running(container.id, options.command, wanted, terminal=options.tty)
        async with process as execution:
            await call.accept()
            await _carry(call, execution)


def running(pods: PodsOnNode, namespace: str, pod: str, name: str) -> ContainerOnNode:
    """The container, if it runs.

    Raises:
        StatusError: it does not, in upstream's words.
    """
    container = pods.container(namespace, pod, name)
    if not container.is_running:
        raise errors.internal(f'container not found ("{container.name}")')
    return container


async def _carry(call: StreamCall[ExecPodRequest], execution: Execution) -> None:
    """Carry input, output and errors until the process has ended and all it wrote is sent, then tell how it ended."""
    async with asyncio.TaskGroup() as group:
        feeding = group.create_task(_feed(call, execution))
        async with asyncio.TaskGroup() as sending:
            for pipe, is_error in ((execution.stdout, False), (execution.stderr, True)):
                if pipe is not None:
                    sending.create_task(_send(call, pipe, is_error=is_error))
            code = await execution.wait()
        await call.write(ExecPodResponse(status=statuses.of_exit(code)))
        await drain(feeding)


async def _feed(call: StreamCall[ExecPodRequest], execution: Execution) -> None:
    """Give the process what the caller sends; the caller's half of the stream ends its input."""
    async for message in call:
        if message.HasField("resize"):
            await execution.resize(message.resize.width, message.resize.height)
        if message.stdin:
            await execution.write(message.stdin)
        if message.stdin_end:
            await execution.close_stdin()
    await execution.close_stdin()


async def _send(call: StreamCall[ExecPodRequest], pipe: ReadingPipe, *, is_error: bool) -> None:
    while data := await pipe.read():
        await call.write(ExecPodResponse(stderr=data) if is_error else ExecPodResponse(stdout=data))
