"""The lines of CRI's log files, and what of them a reader wants to see.

`2026-11-23T09:06:00.123456789Z stdout F text`: when, which stream, F for a line that is full and P for a part of one
that goes on with the next line of the same stream. Runtimes cut lines after 16 KiB.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

_STREAMS: Final = {"": None, "All": None, "Stdout": b"stdout", "Stderr": b"stderr"}
_SORTABLE: Final = 30
"""Length of a timestamp in UTC with nanoseconds."""

_SECONDS: Final = 19
"""Of these characters the first ones, down to seconds."""

_LINE_AT_MOST: Final = 1 << 20
"""No runtime writes longer ones; a file without line ends must not fill the memory."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to show.

    Attributes:
        since: as `sortable` makes it; empty: everything.
        stream: `All`, `Stdout` or `Stderr`; empty like `All`.
        limit_bytes: at most so much; None: no limit.
    """

    since: bytes = b""
    timestamps: bool = False
    stream: str = ""
    limit_bytes: int | None = None


def sortable(seconds: int, nanoseconds: int) -> bytes:
    """A moment as the log has it in UTC; earlier ones sort before it."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{nanoseconds:09}Z".encode()


def moment_of(line: bytes) -> bytes:
    """When a line was written, as `sortable` has it; empty if the line does not say."""
    text = line[: max(0, line.find(b" "))]
    if text.endswith(b"Z") and len(text) <= _SORTABLE:
        # Go leaves out zeros at the end.
        seconds, _, fraction = text[:-1].partition(b".")
        return b"%b.%bZ" % (seconds, fraction.ljust(9, b"0"))
    try:
        moment = datetime.fromisoformat(text.decode())
        return sortable(int(moment.timestamp()), moment.microsecond * 1000)
    except (ValueError, OverflowError):
        return b""


def ends_line(line: bytes) -> bool:
    """Whether a line of the file ends one of the container's, which may consist of several."""
    parts = line.split(b" ", 3)
    return len(parts) < 3 or not parts[2].startswith(b"P")


class LineFilter:
    """Makes what is shown out of what the file holds, piece by piece."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._stream = _STREAMS.get(wanted.stream)
        self._rest = b""
        self._is_within = False
        self._room = wanted.limit_bytes

    def feed(self, data: bytes) -> bytes:
        """What is shown of the next bytes of the file; what comes after its last whole line is kept."""
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest if len(rest) <= _LINE_AT_MOST else b""
        shown = b"".join([self._shown(line) for line in lines])
        if self._room is None:
            return shown
        shown = shown[: self._room]
        self._room -= len(shown)
        return shown

    def is_full(self) -> bool:
        """Whether the limit is reached."""
        return self._room is not None and self._room <= 0

    def _is_before(self, moment: bytes) -> bool:
        """Whether it was before what is wanted; most lines differ from it in their seconds already."""
        since = self._wanted.since
        if moment[-1:] == b"Z" and moment[:_SECONDS] != since[:_SECONDS]:
            return moment < since
        return moment_of(moment + b" ") < since

    def _shown(self, line: bytes) -> bytes:
        parts = line.split(b" ", 3)
        if len(parts) != 4:
            return b""
        moment, stream, tags, text = parts
        if self._stream is not None and stream != self._stream:
            return b""
        if self._wanted.since and self._is_before(moment):
            return b""
        begins, self._is_within = not self._is_within, tags.startswith(b"P")
        end = b"" if self._is_within else b"\n"
        return b"%b %b%b" % (moment, text, end) if self._wanted.timestamps and begins else text + end
