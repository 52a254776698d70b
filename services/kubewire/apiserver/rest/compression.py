"""When answers are compressed: large ones, for clients that accept it and are not on this machine.

Compressing costs more than sending on a loopback connection, where most clients of a small cluster are; over a
network JSON shrinks to a tenth. It runs in a thread, piece by piece, and the loop goes on.
"""

from __future__ import annotations

import asyncio
import zlib
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from kubewire.apiserver.rest.request import Request

GZIP_HEADERS: Final = (("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding"))
_LEVEL: Final = 1
_GZIP: Final = 16 + zlib.MAX_WBITS


@dataclass(frozen=True, slots=True)
class Compression:
    """The rule.

    Attributes:
        least_bytes: shorter answers go out as they are; upstream's threshold.
        includes_local: compress for clients on this machine too.
    """

    least_bytes: int = 128 * 1024
    includes_local: bool = False

    def applies(self, request: Request, size_bytes: int) -> bool:
        """Whether an answer of about this size is compressed."""
        if size_bytes < self.least_bytes or "gzip" not in request.headers.get("Accept-Encoding", ""):
            return False
        return self.includes_local or not _is_local(request.remote)


class Gzip:
    """Compresses one answer, piece by piece."""

    def __init__(self) -> None:
        self._compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)

    async def compress(self, piece: bytes) -> bytes:
        """What of the compressed form is ready; may be empty."""
        return await asyncio.to_thread(self._compressor.compress, piece)

    def finish(self) -> bytes:
        """The rest."""
        return self._compressor.flush()


def _is_local(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return True  # a socket of this machine
