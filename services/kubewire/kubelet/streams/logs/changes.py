"""Telling when files change: the kernel's inotify, one instance for the process, since those are few.

It only wakes those who wait; they look at the file anyhow, and now and then without being woken.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from kubewire.component.log import Logger

_MODIFIED: Final = 0x2
_MOVED_TO: Final = 0x80
_CREATED: Final = 0x100
_EVENT: Final = struct.Struct("iIII")
_READ_BYTES: Final = 64 * 1024
_LOG: Final = Logger("kubelet.streams")


class FileChanges:
    """Watches folders. Make it inside a running loop, and close it."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd = int(self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
        self._waiting: dict[int, list[asyncio.Event]] = {}
        self._loop = asyncio.get_running_loop()
        if self._fd >= 0:
            self._loop.add_reader(self._fd, self._read)
        else:
            _LOG.warning("logs are followed by looking at them", reason=os.strerror(ctypes.get_errno()))

    @contextmanager
    def watching(self, folder: Path) -> Iterator[asyncio.Event]:
        """An event that is set whenever something in the folder is written, made or renamed."""
        changed = asyncio.Event()
        watch = -1
        if self._fd >= 0:
            mask = _MODIFIED | _CREATED | _MOVED_TO
            watch = int(self._libc.inotify_add_watch(self._fd, os.fsencode(folder), mask))
        if watch >= 0:
            # A folder has one watch, however many wait for it.
            self._waiting.setdefault(watch, []).append(changed)
        try:
            yield changed
        finally:
            if watch >= 0:
                self._forget(watch, changed)

    def close(self) -> None:
        """Stop watching."""
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1

    def _forget(self, watch: int, changed: asyncio.Event) -> None:
        waiting = self._waiting.get(watch, [])
        if changed in waiting:
            waiting.remove(changed)
        if not waiting and self._waiting.pop(watch, None) is not None and self._fd >= 0:
            self._libc.inotify_rm_watch(self._fd, watch)

    def _read(self) -> None:
        try:
            data = os.read(self._fd, _READ_BYTES)
        except BlockingIOError:
            return
        offset = 0
        while offset + _EVENT.size <= len(data):
            watch, _, _, length = _EVENT.unpack_from(data, offset)
            offset += _EVENT.size + length
            for changed in self._waiting.get(watch, ()):
                changed.set()
