"""Further processes in running containers: started, fed, read, and always ended.

Whatever happens (the caller leaves, time is up, the container dies, a call fails), no process, FIFO or folder stays
behind. A kubelet that is killed leaves a folder named after the container and the process, and the next one sweeps.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import Final

from kubewire.component.log import Logger
from kubewire.kubelet.containerd.pipes import ReadingPipe, StreamFolder, Streams, WritingPipe, remove_folder
from kubewire.kubelet.containerd.specs import JsonObject, command_spec, process_of
from kubewire.kubelet.containerd.tasks import Tasks
from kubewire.kubelet.errors import RuntimeCallError

IDLE_SECONDS: Final = 2.0
"""How long output may pause after a process's end before we stop listening to those that inherited its streams."""

_END_SECONDS: Final = 60.0
"""How long we try to end a process: a runtime that restarts is back within seconds."""

_AGAIN_SECONDS: Final = 0.2
_SPECS_AT_MOST: Final = 512
_LOG: Final = Logger("kubelet.containerd")


class Execution:
    """A process that was started in a container.

    Attributes:
        ids: of the container and of the process.
        has_ended: its exit is known.
        stdout, stderr: what it writes; None if not asked for. With a terminal all comes by stdout.
    """

    def __init__(self, tasks: Tasks, container_id: str, exec_id: str, folder: StreamFolder) -> None:
        self._tasks = tasks
        self.ids: Final = (container_id, exec_id)
        self.has_ended = False
        stdin = folder.files.stdin
        self.stdout: Final = ReadingPipe(folder.stdout) if folder.stdout else None
        self.stderr: Final = ReadingPipe(folder.stderr) if folder.stderr else None
        self._stdin = WritingPipe(stdin) if stdin else None

    async def write(self, data: bytes) -> None:
        """Give it input, as fast as it reads; ignored where it has none."""
        if self._stdin is not None:
            await self._stdin.write(data)

    async def close_stdin(self) -> None:
        """End its input; what was written before is still read."""
        if self._stdin is not None:
            self._stdin.close()
            with suppress(RuntimeCallError):  # it has ended meanwhile
                await self._tasks.close_stdin(*self.ids)

    async def resize(self, width: int, height: int) -> None:
        """Tell it the size of its terminal."""
        with suppress(RuntimeCallError):  # it has none, or has ended meanwhile
            await self._tasks.resize(*self.ids, width, height)

    async def wait(self) -> int:
        """Wait for its end; its exit code. A runtime that restarts meanwhile is waited for.

        Raises:
            RuntimeCallError: nobody knows what became of it.
        """
        while True:
            try:
                code = await self._tasks.wait(*self.ids)
            except RuntimeCallError as error:
                if error.code != "UNAVAILABLE":
                    raise
                await asyncio.sleep(_AGAIN_SECONDS)
                continue
            self._ended()
            return code

    def _ended(self) -> None:
        self.has_ended = True
        for pipe in (self.stdout, self.stderr):
            if pipe is not None:
                pipe.end_when_idle(IDLE_SECONDS)
        if self._stdin is not None:
            self._stdin.abandon()

    def close(self) -> None:
        """Let all pipes go."""
        for pipe in (self.stdout, self.stderr, self._stdin):
            if pipe is not None:
                pipe.close()


class Executions:
    """Starts processes in the containers of one containerd.

    `folder` holds FIFOs and nothing else; it is private to this kubelet.
    """

    def __init__(self, tasks: Tasks, folder: Path) -> None:
        self._tasks = tasks
        self._folder = folder
        self._specs: dict[str, JsonObject] = {}
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Looked at now, so that nothing we start ourselves is taken for it.
        self._left_behind = list(folder.iterdir())

    async def sweep(self) -> None:
        """End what a former kubelet left behind."""
        for path in self._left_behind:
            container_id, _, exec_id = path.name.partition(".")
            if await self._end(container_id, exec_id):
                remove_folder(path)

    @asynccontextmanager
    async def running(
        self, container_id: str, command: Sequence[str], streams: Streams, *, terminal: bool = False
    ) -> AsyncIterator[Execution]:
        """A process that runs within the `async with`, and at most as long.

        Raises:
            RuntimeCallError: it cannot be started; the message says why.
        """
        spec = command_spec(await self._process(container_id), command, terminal=terminal)
        exec_id = f"kubewire-{token_hex(8)}"
        folder = StreamFolder.make(self._folder / f"{container_id}.{exec_id}", streams)
        execution = Execution(self._tasks, container_id, exec_id, folder)
        begun = asyncio.Event()

        async def begin() -> None:
            try:
                await self._tasks.add(container_id, exec_id, spec, folder.files, terminal=terminal)
                await self._tasks.start(container_id, exec_id)
            finally:
                begun.set()

        try:
            # A start that is cut off may still happen, after its process would have been looked for.
            await asyncio.shield(begin())
            yield execution
        finally:
            # A second cancellation must not leave anything behind.
            await asyncio.shield(self._clean(execution, begun, folder))

    async def _process(self, container_id: str) -> JsonObject:
        """Of a container, which keeps it all its life."""
        found = self._specs.get(container_id)
        if found is None:
            found = process_of(await self._tasks.spec(container_id))
            while len(self._specs) >= _SPECS_AT_MOST:
                del self._specs[next(iter(self._specs))]
            self._specs[container_id] = found
        return found

    async def _clean(self, execution: Execution, begun: asyncio.Event, folder: StreamFolder) -> None:
        try:
            await begun.wait()
            is_gone = await self._forget(*execution.ids) if execution.has_ended else False
            if is_gone or await self._end(*execution.ids):
                folder.remove()
        finally:
            execution.close()

    async def _end(self, container_id: str, exec_id: str) -> bool:
        """Kill a process and forget it, whatever state it is in, as soon as the runtime can be reached.

        False when it could not be; its folder is then left for whoever sweeps next.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(_END_SECONDS):
                while True:
                    with suppress(RuntimeCallError):  # not started, or ended by itself
                        await self._tasks.kill(container_id, exec_id, signal.SIGKILL)
                        await self._tasks.wait(container_id, exec_id)
                    if await self._forget(container_id, exec_id):
                        return True
                    await asyncio.sleep(_AGAIN_SECONDS)
        _LOG.warning("a process may be left in a container", container=container_id, exec=exec_id)
        return False

    async def _forget(self, container_id: str, exec_id: str) -> bool:
        """Have the runtime forget a process that has ended; whether it has."""
        try:
            await self._tasks.delete(container_id, exec_id)
        except RuntimeCallError as error:
            return error.is_not_found
        return True
