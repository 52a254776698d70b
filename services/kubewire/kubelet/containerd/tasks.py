"""Calls on containerd's Tasks and Containers services, each with a deadline, in CRI's namespace of containers.

Tasks are running containers; an exec process is a further process of one. All identifiers of containers are CRI's.
"""

from __future__ import annotations

from collections.abc import Awaitable
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

import grpc
import grpc.aio
from google.protobuf.any_pb2 import Any as AnyMessage

from kubewire.containerd import containers_pb2, containers_pb2_grpc, task_pb2, tasks_pb2, tasks_pb2_grpc
from kubewire.kubelet.errors import RuntimeCallError

NAMESPACE: Final = "k8s.io"
METADATA: Final = (("containerd-namespace", NAMESPACE),)
CALL_SECONDS: Final = 30.0
"""Starting a process takes tens of milliseconds on an idle machine; under load it takes a multiple."""

_PROCESS_TYPE: Final = "types.containerd.io/opencontainers/runtime-spec/1/Process"
_ANSWER_BYTES: Final = 16 << 20
AnswerT = TypeVar("AnswerT")


class ProcessFiles(NamedTuple):
    """FIFOs, or other files, that stand for the streams of a process. With a terminal, stderr is not used."""

    stdin: Path | None
    stdout: Path
    stderr: Path


def connect(socket: Path) -> grpc.aio.Channel:
    """A channel to containerd; must be made inside a running loop, and closed."""
    options = (
        # Go's server refuses the path of a socket as an authority.
        ("grpc.default_authority", "localhost"),
        ("grpc.max_receive_message_length", _ANSWER_BYTES),
        ("grpc.max_reconnect_backoff_ms", 1000),
    )
    return grpc.aio.insecure_channel(f"unix:{socket}", options=options)


class Tasks:
    """Every method raises RuntimeCallError."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._tasks = tasks_pb2_grpc.TasksStub(channel)
        self._containers = containers_pb2_grpc.ContainersStub(channel)

    async def spec(self, container_id: str) -> bytes:
        """The container's OCI specification, as JSON."""
        request = containers_pb2.GetContainerRequest(id=container_id)
        answer = await _made("GetContainer", self._containers.Get(request, metadata=METADATA, timeout=CALL_SECONDS))
        return answer.container.spec.value

    async def process(self, container_id: str) -> task_pb2.Process:
        """The container's own process."""
        request = tasks_pb2.GetRequest(container_id=container_id)
        return (await _made("Get", self._tasks.Get(request, metadata=METADATA, timeout=CALL_SECONDS))).process

    async def add(self, container_id: str, exec_id: str, spec: bytes, files: ProcessFiles, *, terminal: bool) -> None:
        """Add a process to a task; it runs once it is started."""
        request = tasks_pb2.ExecProcessRequest(
            container_id=container_id,
            exec_id=exec_id,
            stdin=str(files.stdin or ""),
            stdout=str(files.stdout),
            stderr="" if terminal else str(files.stderr),
            terminal=terminal,
            spec=AnyMessage(type_url=_PROCESS_TYPE, value=spec),
        )
        await _made("Exec", self._tasks.Exec(request, metadata=METADATA, timeout=CALL_SECONDS))

    async def start(self, container_id: str, exec_id: str) -> None:
        """Start an added process."""
        request = tasks_pb2.StartRequest(container_id=container_id, exec_id=exec_id)
        await _made("Start", self._tasks.Start(request, metadata=METADATA, timeout=CALL_SECONDS))

    async def wait(self, container_id: str, exec_id: str) -> int:
        """Wait for a process to exit, however long it takes; its exit code."""
        request = tasks_pb2.WaitRequest(container_id=container_id, exec_id=exec_id)
        return (await _made("Wait", self._tasks.Wait(request, metadata=METADATA))).exit_status

    async def resize(self, container_id: str, exec_id: str, width: int, height: int) -> None:
        """Set the size of a process's terminal."""
        request = tasks_pb2.ResizePtyRequest(container_id=container_id, exec_id=exec_id, width=width, height=height)
        await _made("ResizePty", self._tasks.ResizePty(request, metadata=METADATA, timeout=CALL_SECONDS))

    async def close_stdin(self, container_id: str, exec_id: str) -> None:
        """Let a process read to the end of its input, once nobody else holds the FIFO open."""
        request = tasks_pb2.CloseIORequest(container_id=container_id, exec_id=exec_id, stdin=True)
        await _made("CloseIO", self._tasks.CloseIO(request, metadata=METADATA, timeout=CALL_SECONDS))

    async def kill(self, container_id: str, exec_id: str, signal: int) -> None:
        """Send a signal to a process."""
        request = tasks_pb2.KillRequest(container_id=container_id, exec_id=exec_id, signal=signal)
        await _made("Kill", self._tasks.Kill(request, metadata=METADATA, timeout=CALL_SECONDS))

    async def delete(self, container_id: str, exec_id: str) -> None:
        """Forget a process that has ended, or was never started."""
        request = tasks_pb2.DeleteProcessRequest(container_id=container_id, exec_id=exec_id)
        await _made("DeleteProcess", self._tasks.DeleteProcess(request, metadata=METADATA, timeout=CALL_SECONDS))


async def _made(operation: str, call: Awaitable[AnswerT]) -> AnswerT:
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        raise RuntimeCallError(operation, error.code().name, error.details() or "no reason given") from None
