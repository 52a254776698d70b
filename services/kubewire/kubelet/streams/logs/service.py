"""StreamLogs: the log of a container, from options as Kubernetes has them."""

from __future__ import annotations

from contextlib import aclosing, closing
from typing import TYPE_CHECKING, Final

from kubewire.kubelet.streams.logs.lines import Wanted, sortable
from kubewire.kubelet.streams.logs.reader import LogFile
from kubewire.machinery import errors
from kubewire.machinery.errors import StatusError
from kubewire.rpc.core.v1.pod_service_pb2 import StreamPodLogsRequest, StreamPodLogsResponse

if TYPE_CHECKING:
    from collections.abc import Callable

    from kubewire.api.core.v1.connect_options_pb2 import PodLogOptions
    from kubewire.kubelet.contracts import ContainerOnNode, PodsOnNode
    from kubewire.kubelet.streams.calls import StreamCall
    from kubewire.kubelet.streams.logs.reader import LogReader

_NANOSECONDS: Final = 1_000_000_000


class LogStreams:
    """Serves StreamLogs. `clock` is in seconds since the epoch."""

    def __init__(self, pods: PodsOnNode, reader: LogReader, clock: Callable[[], float]) -> None:
        self._pods = pods
        self._reader = reader
        self._clock = clock

    async def serve(self, call: StreamCall[StreamPodLogsRequest]) -> None:
        """Send what is asked for.

        Raises:
            StatusError: there is no such container, or no log of it.
        """
        namespace, name, options = call.first.namespace, call.first.name, call.first.options
        container = self._pods.container(namespace, name, options.container, previous=options.previous)
        tail = options.tailLines if options.HasField("tailLines") else None

        def is_growing() -> bool:
            return self._is_running(namespace, name, container)

        try:
            with closing(LogFile(container.log_path)) as file:
                await call.accept()
                pieces = self._reader.read(
                    file, _wanted(options, self._clock()), tail, is_growing if options.follow else None
                )
                async with aclosing(pieces):
                    async for data in pieces:
                        await call.write(StreamPodLogsResponse(data=data))
        except OSError as error:
            raise errors.internal(f"the log of container {container.name} cannot be read: {error.strerror}") from None

    def _is_running(self, namespace: str, name: str, container: ContainerOnNode) -> bool:
        try:
            found = self._pods.container(namespace, name, container.name)
        except StatusError:
            return False
        return found.id == container.id and found.is_running


def _wanted(options: PodLogOptions, now_seconds: float) -> Wanted:
    since = b""
    if options.HasField("sinceSeconds"):
        moment = int(now_seconds * _NANOSECONDS) - options.sinceSeconds * _NANOSECONDS
        since = sortable(*divmod(moment, _NANOSECONDS))
    elif options.HasField("sinceTime"):
        since = sortable(options.sinceTime.seconds, options.sinceTime.nanos)
    limit = options.limitBytes if options.HasField("limitBytes") else None
    return Wanted(since, options.timestamps, options.stream, limit)
