"""Bearer tokens: one for ever, or the current one of a file that is renewed in place."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

Token = Callable[[], str]
"""Gives the token to send now."""

REREAD_SECONDS = 60.0
"""Bound tokens are renewed long before they expire: a minute late is early enough."""


def static_token(token: str) -> Token:
    """Always the same."""
    return lambda: token


class FileToken:
    """The content of a file, read again after `REREAD_SECONDS`.

    A file that cannot be read any more keeps its last token; the first read raises OSError.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._token = self._read()
        self._read_at = clock()

    def __call__(self) -> str:
        """The token."""
        now = self._clock()
        if now - self._read_at >= REREAD_SECONDS:
            self._read_at = now
            try:
                self._token = self._read()
            except OSError:
                # Renewal replaces the file; the token we have is good for now.
                return self._token
        return self._token

    def _read(self) -> str:
        return self._path.read_text(encoding="utf-8").strip()
