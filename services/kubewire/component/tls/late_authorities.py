"""Reading the system's certificate authorities when a certificate is checked against them, not at import.

aiohttp makes its clients' default contexts when it is imported, which reads some 140 authorities twice and takes
longer than all the rest of it. A server may never be a client of the public internet.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

_create_default_context = ssl.create_default_context


class LateContext(ssl.SSLContext):
    """A client's default context that reads the system's authorities when it is first used."""

    _is_loaded = False

    def wrap_socket(self, *args: object, **named: object) -> ssl.SSLSocket:
        """See the base class."""
        self._load()
        return super().wrap_socket(*args, **named)  # type: ignore[arg-type]  # passed on as they are

    def wrap_bio(self, *args: object, **named: object) -> ssl.SSLObject:
        """See the base class."""
        self._load()
        return super().wrap_bio(*args, **named)  # type: ignore[arg-type]  # passed on as they are

    def _load(self) -> None:
        if not self._is_loaded:
            self._is_loaded = True
            self.load_default_certs()


@contextmanager
def late_authorities() -> Iterator[None]:
    """While it lasts, default contexts are late ones. Other calls of the ssl module are as always."""
    ssl.create_default_context = _create
    # A context that verifies nothing asks for the authorities as well; it never needs them.
    ssl.SSLContext.set_default_verify_paths = lambda _: None  # type: ignore[method-assign,assignment]  # restored below
    try:
        yield
    finally:
        ssl.create_default_context = _create_default_context
        del ssl.SSLContext.set_default_verify_paths


def _create(*args: object, **named: object) -> ssl.SSLContext:
    """As `ssl.create_default_context`; what asks for anything special gets what it always gets."""
    if args or named:
        return _create_default_context(*args, **named)  # type: ignore[arg-type]  # passed on as they are
    return LateContext(ssl.PROTOCOL_TLS_CLIENT)
