"""The kubelet's service of streams, put together."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kubewire.kubelet.containerd.commands import Commands
from kubewire.kubelet.containerd.execution import Executions
from kubewire.kubelet.containerd.tasks import Tasks, connect
from kubewire.kubelet.streams.attach import AttachStreams
from kubewire.kubelet.streams.callers import Callers
from kubewire.kubelet.streams.calls import Handlers
from kubewire.kubelet.streams.commands import CommandStreams
from kubewire.kubelet.streams.logs.changes import FileChanges
from kubewire.kubelet.streams.logs.reader import LogReader
from kubewire.kubelet.streams.logs.service import LogStreams
from kubewire.kubelet.streams.port_forward import PortStreams
from kubewire.kubelet.streams.runtime_streams import RuntimeStreams
from kubewire.rpc.core.v1 import pod_service_pb2 as messages

if TYPE_CHECKING:
    from kubewire.component.grpc.server import Methods
    from kubewire.kubelet.contracts import PodsOnNode


class Streaming:
    """All that stands on containerd's own API. Make it inside a running loop, `start` it, and `close` it.

    Attributes:
        commands: runs commands for probes and hooks (`ContainerExec`).
    """

    def __init__(self, socket: Path, folder: Path) -> None:
        """`socket` is containerd's, `folder` this kubelet's own, for FIFOs."""
        self.channel: Final = connect(socket)
        self.tasks: Final = Tasks(self.channel)
        self.executions: Final = Executions(self.tasks, folder)
        self.commands: Final = Commands(self.executions)
        self.changes: Final = FileChanges()

    async def start(self) -> None:
        """End what a former kubelet left behind."""
        await self.executions.sweep()

    async def close(self) -> None:
        """Let everything go."""
        self.changes.close()
        await self.channel.close()


class StreamsService:
    """Fills `component.grpc.server.Service`."""

    name: Final = "kubewire.kubelet.v1.StreamsService"
    module: Final = "kubewire.kubelet.v1.streams_pb2"

    def __init__(self, pods: PodsOnNode, streaming: Streaming, *, trusts_tokens: bool = False) -> None:
        """With `trusts_tokens`, the server it stands on lets nobody in without the callers' token."""
        self._handlers = Handlers(Callers(trusts_tokens=trusts_tokens))
        self._logs = LogStreams(pods, LogReader(streaming.changes), time.time)
        self._commands = CommandStreams(pods, streaming.executions)
        self._attach = AttachStreams(pods, RuntimeStreams(streaming.channel))
        self._ports = PortStreams(pods, streaming.tasks)

    @property
    def methods(self) -> Methods:
        """By name."""
        both_ways = self._handlers.both_ways
        return {
            "StreamLogs": self._handlers.answers(messages.StreamPodLogsRequest, self._logs.serve),
            "Exec": both_ways(messages.ExecPodRequest, self._commands.serve),
            "Attach": both_ways(messages.AttachPodRequest, self._attach.serve),
            "PortForward": both_ways(messages.PortForwardPodRequest, self._ports.serve),
        }
