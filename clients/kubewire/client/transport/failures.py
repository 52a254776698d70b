"""From a failed gRPC call to the StatusError the server meant, and whether the call may have done something."""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

import grpc
import grpc.aio
from google.protobuf.message import DecodeError

from kubewire.api.meta.v1.status_pb2 import Status
from kubewire.machinery.errors import Reason, StatusError
from kubewire.rpc.v1.raw_responses_pb2 import RawFailure

DETAILS_KEY: Final = "grpc-status-details-bin"

_NOT_SENT: Final = (
    "failed to connect to all addresses",
    "connections to all backends failing",
    "DNS resolution failed",
)
"""The library's own words for a call that found no connection to be sent on."""

_TOO_LARGE: Final = "message larger than max"
"""The library's own words, on either side, for a message over its limit."""


class Outcome(Enum):
    """What a failed call did."""

    ANSWERED = auto()
    """A server answered with this error."""

    NOT_SENT = auto()
    """No server was reached: nothing was done."""

    LOST = auto()
    """The connection broke: whether it was done is unknown."""


def outcome_of(error: grpc.aio.AioRpcError) -> Outcome:
    """Whether a failed call may be repeated elsewhere."""
    code = error.code()
    if code is grpc.StatusCode.UNAVAILABLE and any(words in (error.details() or "") for words in _NOT_SENT):
        return Outcome.NOT_SENT
    if code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED) and _carried_status(error) is None:
        return Outcome.LOST
    return Outcome.ANSWERED


def status_error(error: grpc.aio.AioRpcError) -> StatusError:
    """The server's own error, or the nearest one where the library failed before a server could answer."""
    carried = _carried_status(error)
    if carried is not None:
        return StatusError.from_proto(carried)
    code, text = error.code(), error.details() or ""
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return deadline_exceeded()
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED and _TOO_LARGE in text:
        return StatusError(413, Reason.REQUEST_ENTITY_TOO_LARGE, f"Request entity too large: {text}")
    if code is grpc.StatusCode.CANCELLED:
        # We did not cancel it, or nobody would see this: the server went away.
        return StatusError.from_grpc_code(grpc.StatusCode.UNAVAILABLE.value[0], f"the server ended the call: {text}")
    return StatusError.from_grpc_code(code.value[0], text)


def deadline_exceeded() -> StatusError:
    """The caller's deadline passed; what a server would have answered is unknown."""
    return StatusError(504, Reason.TIMEOUT, "Timeout: no answer within the deadline of the call")


def _carried_status(error: grpc.aio.AioRpcError) -> Status | None:
    for key, value in error.trailing_metadata():
        if key == DETAILS_KEY and isinstance(value, bytes):
            return _unpack(value)
    return None


def _unpack(data: bytes) -> Status | None:
    """The first `meta.v1.Status` among the details; None when there is none that can be read."""
    try:
        for detail in RawFailure.FromString(data).details:
            status = Status()
            if detail.Unpack(status):
                return status
    except DecodeError:
        return None
    return None
