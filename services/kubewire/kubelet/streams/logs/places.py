"""Where in a log file to begin, found without reading all of it: files may have gigabytes.

Both searches read blocks: from the end for the last lines, and by halves for a time, since lines stand in the order in
which they were written, give or take what output and errors overtake each other by.
"""

from __future__ import annotations

import os
from typing import Final

from kubewire.kubelet.streams.logs.lines import ends_line, moment_of

BLOCK_BYTES: Final = 64 * 1024
_LINE_BYTES: Final = 64 * 1024
"""Longer than any line: runtimes cut at 16 KiB."""


def place_of_tail(file: int, size: int, lines: int) -> int:
    """The offset at which the container's last `lines` lines begin."""
    end, found, later = size, 0, b""
    while end > 0:
        start = max(0, end - BLOCK_BYTES)
        block = os.pread(file, end - start, start) + later
        pieces = block.split(b"\n")
        # The first piece may be the end of a line that begins in the block before.
        later = pieces[0] if start else b""
        place = start + len(block)
        for index in range(len(pieces) - 1, 0 if start else -1, -1):
            is_line_end = index < len(pieces) - 1
            place -= len(pieces[index]) + is_line_end
            if is_line_end and ends_line(pieces[index]):
                if found == lines:
                    return place + len(pieces[index]) + 1
                found += 1
        end = start
    return 0 if lines else size


def place_of_time(file: int, size: int, since: bytes) -> int:
    """An offset of a line's beginning before which there is nothing written at `since` or later."""
    low, high = 0, size
    while high - low > BLOCK_BYTES:
        middle = (low + high) // 2
        if _moment_after(file, middle) < since:
            low = middle
        else:
            high = middle
    # One block earlier, because two streams may have overtaken each other.
    return _line_after(file, max(0, low - BLOCK_BYTES))


def _moment_after(file: int, offset: int) -> bytes:
    """When the first line that begins after `offset` was written."""
    return moment_of(os.pread(file, 64, _line_after(file, offset)))


def _line_after(file: int, offset: int) -> int:
    if offset == 0:
        return 0
    return offset + os.pread(file, _LINE_BYTES, offset).find(b"\n") + 1
