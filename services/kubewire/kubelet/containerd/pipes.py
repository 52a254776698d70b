"""FIFOs that carry a process's streams, opened and used without ever blocking the loop.

Reading and writing happen only on demand, so that a slow reader slows the process through the kernel's own buffer
and nothing is kept here.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from shutil import rmtree
from typing import Final, NamedTuple

from kubewire.kubelet.containerd.tasks import ProcessFiles

CHUNK_BYTES: Final = 64 * 1024
_PRIVATE: Final = 0o600
_NOWHERE: Final = Path("/dev/null")
"""The runtime wants a file for output and errors of every process."""


class ReadingPipe:
    """Our end of a FIFO that the process writes to."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        self._loop = asyncio.get_running_loop()
        self._idle_seconds: float | None = None
        self._turned: asyncio.Future[bool] | None = None

    async def read(self) -> bytes:
        """What has come, at most CHUNK_BYTES; empty at the end, which is when all writers have closed it."""
        while self._fd >= 0:
            # A read before the first writer has opened it would look like the end, so the poll comes first.
            if not await self._readable():
                return b""
            try:
                return os.read(self._fd, CHUNK_BYTES)
            except BlockingIOError:
                continue
        return b""

    def end_when_idle(self, seconds: float) -> None:
        """The process has ended: take what is still there, but do not wait for ever for those that inherited it."""
        self._idle_seconds = seconds
        if self._turned is not None:
            self._loop.call_later(seconds, _wake, self._turned, False)

    async def _readable(self) -> bool:
        turned: asyncio.Future[bool] = self._loop.create_future()
        self._turned = turned
        self._loop.add_reader(self._fd, _wake, turned, True)
        timer = None
        if self._idle_seconds is not None:
            timer = self._loop.call_later(self._idle_seconds, _wake, turned, False)
        try:
            return await turned
        finally:
            self._turned = None
            self._loop.remove_reader(self._fd)
            if timer is not None:
                timer.cancel()

    def close(self) -> None:
        """Let it go; doing it twice is harmless. No read may be under way."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class WritingPipe:
    """Our end of a FIFO that the process reads from.

    It is opened for reading too, because that succeeds before anybody reads.
    """

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._loop = asyncio.get_running_loop()
        self._turned: asyncio.Future[bool] | None = None
        self._is_abandoned = False

    async def write(self, data: bytes) -> None:
        """Write all of it, as fast as the process reads; nothing when the pipe is closed, or nobody reads any more."""
        left = memoryview(data)
        while left and self._fd >= 0 and not self._is_abandoned:
            try:
                left = left[os.write(self._fd, left) :]
            except BlockingIOError:
                await self._writable()

    async def _writable(self) -> None:
        turned: asyncio.Future[bool] = self._loop.create_future()
        self._turned = turned
        self._loop.add_writer(self._fd, _wake, turned, True)
        try:
            await turned
        finally:
            self._turned = None
            self._loop.remove_writer(self._fd)

    def abandon(self) -> None:
        """The process has ended: what was to be written is dropped."""
        self._is_abandoned = True
        if self._turned is not None:
            _wake(self._turned, is_ready=False)

    def close(self) -> None:
        """Let it go; doing it twice is harmless. No write may be under way."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class Streams(NamedTuple):
    """Which streams of a process are wanted; `merged`: errors go where output goes, in the order they came."""

    stdin: bool = False
    stdout: bool = False
    stderr: bool = False
    merged: bool = False


class StreamFolder:
    """The FIFOs of one process, in a folder that only we and the runtime can look into."""

    def __init__(self, path: Path, files: ProcessFiles) -> None:
        self._path = path
        self.files: Final = files

    @classmethod
    def make(cls, path: Path, wanted: Streams) -> StreamFolder:
        """Make the FIFOs that are wanted."""
        path.mkdir(mode=0o700)
        stdout = _fifo(path / "stdout") if wanted.stdout else _NOWHERE
        stderr = _fifo(path / "stderr") if wanted.stderr else _NOWHERE
        stdin = _fifo(path / "stdin") if wanted.stdin else None
        return cls(path, ProcessFiles(stdin, stdout, stdout if wanted.merged else stderr))

    @property
    def stdout(self) -> Path | None:
        """The FIFO of output, if there is one."""
        return None if self.files.stdout == _NOWHERE else self.files.stdout

    @property
    def stderr(self) -> Path | None:
        """The FIFO of errors, if there is one of their own."""
        return None if self.files.stderr in {_NOWHERE, self.files.stdout} else self.files.stderr

    def remove(self) -> None:
        """Remove them."""
        remove_folder(self._path)


def remove_folder(path: Path) -> None:
    """Remove a folder of FIFOs, also one that is there in part."""
    rmtree(path, ignore_errors=True)


def _fifo(path: Path) -> Path:
    os.mkfifo(path, _PRIVATE)
    return path


def _wake(turned: asyncio.Future[bool], is_ready: bool) -> None:  # noqa: FBT001 - a callback
    if not turned.done():
        turned.set_result(is_ready)
