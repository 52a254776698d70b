"""Logs as the body of an answer, chunk by chunk as they come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kubewire.apiserver.rest.answers import LAST_CHUNK, chunk, drain, finished, start_chunks, write
from kubewire.apiserver.rest.watching import Leave
from kubewire.machinery.errors import StatusError
from kubewire.rpc.core.v1.pod_service_pb2 import StreamPodLogsResponse

if TYPE_CHECKING:
    from kubewire.apiserver.rest.request import Request, Written
    from kubewire.apiserver.streams.session import Session

_TYPE: Final = b"text/plain"


async def write_log(request: Request, session: Session | None) -> Written:
    """Write a log until it ends or the client leaves; None is a log that is empty.

    Raises:
        ConnectionError: the client is gone, or half an answer could not be completed.
    """
    if session is None:
        return write(request, 200, b"", _TYPE)
    try:
        start_chunks(request, 200, _TYPE)
        with Leave(request):
            await _copy(request, session)
    except StatusError as error:
        # The status line is gone: the client is told in the only place that is left, as stock servers do.
        request.transport.write(chunk(f"{error.message}\n".encode()))
    finally:
        session.close()
    request.transport.write(LAST_CHUNK)
    return finished(request)


async def _copy(request: Request, session: Session) -> None:
    while (raw := await session.receive()) is not None:
        data = StreamPodLogsResponse.FromString(raw).data
        if data:
            request.transport.write(chunk(data))
            request.size += len(data)
            await drain(request)
