"""Where in a log file to begin, found without reading all of it: files may have gigabytes.

Both searches read blocks: from the end for the last lines, and by halves for a time, since lines stand in the order in
which they were written, give or take what output and errors overtake each other by.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

from kubewire.kubelet.streams.logs.lines import ends_line, moment_of

BLOCK_BYTES: Final = 64 * 1024
_LINE_BYTES: Final = 64 * 1024
"""Longer than any line: runtimes cut at 16 KiB."""

_MOMENT_BYTES: Final = 64


def place_of_tail(file: int, size: int, lines: int) -> int:
    """The offset at which the container's last `lines` lines begin."""
    found = 0
    for offset, line in _lines_backwards(file, size):
        if ends_line(line):
            found += 1
            if found > lines:
                return offset + len(line) + 1
    return 0


def _lines_backwards(file: int, size: int) -> Iterator[tuple[int, bytes]]:
    """Whole lines with their offsets, the last first."""
    start, data = size, b""
    while start > 0:
        begin = max(0, start - BLOCK_BYTES)
        data = os.pread(file, start - begin, begin) + data
        start = begin
        # What stands before the first line's end belongs to a line that begins in the block before.
        first = data.find(b"\n") + 1 if start else 0
        if start and not first:
            continue
        *pieces, _ = data[first:].split(b"\n")
        end = start + first + sum(len(piece) + 1 for piece in pieces)
        for piece in reversed(pieces):
            end -= len(piece) + 1
            yield end, piece
        data = data[:first]


def place_of_time(file: int, size: int, since: bytes) -> int:
    """An offset of a line's beginning before which there is nothing written at `since` or later."""
    low, high = 0, size
    while high - low > BLOCK_BYTES:
        middle = (low + high) // 2
        line = _line_after(file, middle)
        moment = b"" if line is None else moment_of(os.pread(file, _MOMENT_BYTES, line))
        # What does not say its time, as the file's end does not, cannot be passed over.
        if moment and moment < since:
            low = middle
        else:
            high = middle
    # One block earlier, because two streams may have overtaken each other.
    return _line_after(file, max(0, low - BLOCK_BYTES)) or 0


def _line_after(file: int, offset: int) -> int | None:
    """Where the first line begins that begins after `offset`, or at 0; None if that is far away or nowhere."""
    if offset == 0:
        return 0
    found = os.pread(file, _LINE_BYTES, offset).find(b"\n")
    return None if found < 0 else offset + found + 1
