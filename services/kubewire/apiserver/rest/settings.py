"""What can be set about the REST face."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field

from kubewire.apiserver.encoding.memory import DEFAULT_LIMIT_BYTES
from kubewire.apiserver.rest.compression import Compression


@dataclass(frozen=True, slots=True)
class RestListener:
    """An address to listen on; port 0 takes a free one. `tls` None is for loopback and tests only."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None


@dataclass(frozen=True, slots=True)
class RestSettings:
    """Limits and habits.

    Attributes:
        server_address: `host:port` that discovery tells clients to come to.
        form_memory_bytes: JSON and rows of objects kept for later requests.
        request_timeout_seconds: how long a request that is no watch may take.
    """

    server_address: str
    form_memory_bytes: int = DEFAULT_LIMIT_BYTES
    request_timeout_seconds: float = 60.0
    compression: Compression = field(default_factory=Compression)
