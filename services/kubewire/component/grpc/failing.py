"""Ending a call with an error of ours, details included."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import grpc
import grpc.aio

from kubewire.component.grpc.status import DETAILS_KEY, translate

if TYPE_CHECKING:
    from typing import Never

    from kubewire.machinery.errors import StatusError

_CODES: Final = {code.value[0]: code for code in grpc.StatusCode}


async def fail(context: grpc.aio.ServicerContext[bytes, bytes], error: StatusError) -> Never:
    """End a call with an error and its details.

    Raises:
        CancelledError: the client has left, which gRPC may find out later than we do, and would then log.
    """
    sent = translate(error)
    try:
        await context.abort(_CODES[sent.code], sent.message, ((DETAILS_KEY, sent.details),))
    except grpc.aio.InternalError:
        raise asyncio.CancelledError from None
