"""A container's log from where a reader wants it, and on as it grows, through rotations, until the container ends."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from kubewire.kubelet.streams.logs.changes import FileChanges
from kubewire.kubelet.streams.logs.lines import LineFilter, Wanted
from kubewire.kubelet.streams.logs.places import place_of_tail, place_of_time

CHUNK_BYTES: Final = 64 * 1024
LOOK_SECONDS: Final = 0.5
"""How often a followed log is looked at without a sign from the kernel, and its container asked after."""


class LogFile:
    """An open log file, read on; when another was put in its place, that one is read after the rest of this."""

    def __init__(self, path: Path) -> None:
        """Open it.

        Raises:
            OSError: it cannot be opened.
        """
        self.path: Final = path
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def begin(self, tail_lines: int | None, since: bytes) -> None:
        """Go to where the last lines begin, or what was written since."""
        size = os.fstat(self._fd).st_size
        place = place_of_time(self._fd, size, since) if since else 0
        if tail_lines is not None:
            place = max(place, place_of_tail(self._fd, size, tail_lines))
        os.lseek(self._fd, place, os.SEEK_SET)

    def read(self) -> bytes:
        """The next bytes; empty at the end of what is there now."""
        return os.read(self._fd, CHUNK_BYTES) or self._turned()

    def _turned(self) -> bytes:
        """The beginning of the file that took this one's place, if there is one."""
        with suppress(FileNotFoundError):  # just renamed, and not made anew yet
            here, there = os.fstat(self._fd), self.path.stat()
            if here.st_ino == there.st_ino:
                if there.st_size < os.lseek(self._fd, 0, os.SEEK_CUR):  # emptied in place
                    os.lseek(self._fd, 0, os.SEEK_SET)
                    return os.read(self._fd, CHUNK_BYTES)
                return b""
            last = os.read(self._fd, CHUNK_BYTES)
            if last:
                return last
            opened = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
            os.close(self._fd)
            self._fd = opened
            return os.read(self._fd, CHUNK_BYTES)
        return b""

    def close(self) -> None:
        """Close it."""
        os.close(self._fd)


class LogReader:
    """Reads logs. All readers share one way of noticing changes."""

    def __init__(self, changes: FileChanges) -> None:
        self._changes = changes

    async def read(
        self, file: LogFile, wanted: Wanted, tail_lines: int | None, is_growing: Callable[[], bool] | None
    ) -> AsyncGenerator[bytes]:
        """Pieces of what is wanted; with `is_growing`, on until it says that the container has ended.

        Raises:
            OSError: the file cannot be read.
        """
        lines = LineFilter(wanted)
        with self._changes.watching(file.path.parent) as changed:
            # Many lines may be asked for of a large file, so the search leaves the loop.
            await asyncio.to_thread(file.begin, tail_lines, wanted.since)
            while not lines.is_full():
                changed.clear()
                was_growing = is_growing is not None and is_growing()
                # What was written before the end is read after it is known.
                while data := file.read():
                    if shown := lines.feed(data):
                        yield shown
                    if lines.is_full():
                        return
                    await asyncio.sleep(0)
                if not was_growing:
                    return
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await changed.wait()
