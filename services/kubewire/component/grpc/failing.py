"""Ending a call with an error of ours, details included."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import grpc
import grpc.aio

from kubewire.component.grpc.status import DETAILS_KEY, translate

if TYPE_CHECKING:
    from typing import Never

    from kubewire.machinery.errors import StatusError

_CODES: Final = {code.value[0]: code for code in grpc.StatusCode}


async def fail(context: grpc.aio.ServicerContext[bytes, bytes], error: StatusError) -> Never:
    """End a call with an error and its details."""
    sent = translate(error)
    await context.abort(_CODES[sent.code], sent.message, ((DETAILS_KEY, sent.details),))
