"""Keeps logs of containers from filling the disk: what has grown too long is put aside, and the oldest is removed.

`0.log` becomes `0.log.20260102-150405`, and the runtime opens a fresh `0.log`. Those who follow a log go on in it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from kubewire.component.log import Logger
from kubewire.kubelet.errors import RuntimeCallError
from kubewire.kubelet.runtime import labels
from kubewire.kubelet.runtime.contracts import Container, Sandboxes
from kubewire.kubelet.runtime.observation import Observation

_LOG: Final = Logger("kubelet.pods.logs")
_LOOK_SECONDS: Final = 10.0


class LogRotation:
    """Looks at the logs of running containers every few seconds. Run it in a TaskGroup."""

    def __init__(
        self,
        runtime: Sandboxes,
        observation: Observation,
        *,
        size_bytes: int,
        files: int,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._runtime = runtime
        self._observation = observation
        self._size = size_bytes
        self._files = files
        self._wall = wall_clock

    async def run(self) -> None:
        """Rotate until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            await self.look()

    async def look(self) -> None:
        """Rotate what has grown too long."""
        for pod in list(self._observation.pods.values()):
            for container in pod.running:
                log = container.annotations.get(labels.LOG_FILE, "")
                if log and await asyncio.to_thread(_size, Path(log)) > self._size:
                    await self._rotate(container, Path(log))

    async def _rotate(self, container: Container, log: Path) -> None:
        """Put the log aside and have a fresh one opened; if that fails, the old one goes on."""
        aside = log.with_name(f"{log.name}.{time.strftime('%Y%m%d-%H%M%S', time.gmtime(self._wall()))}")
        try:
            await asyncio.to_thread(log.rename, aside)
            await self._runtime.reopen_log(container.id)
            await asyncio.to_thread(partial(_remove, superfluous(_kept(log), self._files)))
        except OSError as error:
            _LOG.warning("a log cannot be rotated", log=log, why=error)
        except RuntimeCallError as error:
            _LOG.warning("a log cannot be rotated", log=log, why=error)
            await asyncio.to_thread(_put_back, aside, log)


def superfluous(kept: Sequence[Path], files: int) -> Sequence[Path]:
    """What is to be removed of logs that were put aside, so that with the present one there are `files`."""
    return sorted(kept)[: max(0, len(kept) - (files - 1))]


def _kept(log: Path) -> list[Path]:
    return list(log.parent.glob(f"{log.name}.*"))


def _remove(paths: Sequence[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _put_back(aside: Path, log: Path) -> None:
    if not log.exists():
        aside.rename(log)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
