"""How a process starts, runs and ends: stages of parts under one supervisor, and signals.

A stage's parts start side by side, and a stage begins when the one before it is up. They end in the opposite order,
each stage when the one after it has ended, so that whoever drains still has what it needs. A part that fails takes
the process down: whoever runs it starts it anew.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Final

from kubewire.component.errors import StartError
from kubewire.component.log import Logger

_LOG: Final = Logger("component.lifecycle")
_FAILED: Final = 1
_CANNOT_START: Final = 2
_SETTLE_SECONDS: Final = 3.0

Started = Callable[[], None]
Run = Callable[[Started], Awaitable[None]]
"""A part: runs until it is cancelled, cleans up in `finally`, and calls what it is given once it is up."""


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that runs, under the name it has in logs."""

    name: str
    run: Run


@dataclass(frozen=True, slots=True)
class Stage:
    """Parts that start side by side."""

    name: str
    parts: Sequence[Part]


class Supervisor:
    """Runs stages in order until it is told to stop."""

    def __init__(self, stages: Sequence[Stage]) -> None:
        self._stages = stages

    async def run(self, stop: asyncio.Event, *, on_up: Callable[[], None], on_stop: Callable[[], None]) -> None:
        """Run until `stop` is set, this task is cancelled, or a part fails.

        `on_up` is called when every part is up, `on_stop` before the first of them is ended.

        Raises:
            ExceptionGroup: a part failed.
        """
        async with asyncio.TaskGroup() as group:
            running: list[list[asyncio.Task[None]]] = []
            try:
                for stage in self._stages:
                    running.append([])
                    await _start(group, stage, running[-1])
                on_up()
                await stop.wait()
            finally:
                on_stop()
                # A part that failed has ended all of them already, and this is over at once.
                for tasks in reversed(running):
                    await _end(tasks)


async def _start(group: asyncio.TaskGroup, stage: Stage, tasks: list[asyncio.Task[None]]) -> None:
    """Start a stage's parts; returns when all are up."""
    ups = []
    for part in stage.parts:
        up = asyncio.Event()
        ups.append(up)
        tasks.append(group.create_task(_run(part, up), name=part.name))
    for up in ups:
        await up.wait()
    _LOG.debug("stage is up", stage=stage.name)


async def _run(part: Part, up: asyncio.Event) -> None:
    await part.run(up.set)
    if not up.is_set():
        raise RuntimeError(f"part {part.name} ended before it was up")


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)


def run_process(run: Callable[[asyncio.Event], Coroutine[None, None, None]]) -> int:
    """Run a component as this process: `run` gets an event that SIGTERM and SIGINT set; returns the exit code.

    A second signal ends the process at once. Garbage is not collected while the process starts: nearly all that a
    start makes stays, and looking for the rest would take a tenth of its time.
    """
    import uvloop  # noqa: PLC0415 - whoever hosts several components in one process sets the loop up itself

    gc.disable()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_with_signals(run))
    except Exception as error:  # noqa: BLE001 - the one place where everything ends that nobody handled
        return _report(error)
    return 0


def _report(error: Exception) -> int:
    """Log why the process ends; returns its exit code."""
    failures = _leaves(error)
    expected = [failure for failure in failures if isinstance(failure, StartError)]
    for problem in expected:
        _LOG.error("cannot start", reason=problem)
    for failure in failures:
        if failure not in expected:
            _LOG.exception("a part failed", failure)
    return _CANNOT_START if expected else _FAILED


async def _with_signals(run: Callable[[asyncio.Event], Coroutine[None, None, None]]) -> None:
    stop = asyncio.Event()

    def on_signal(number: int) -> None:
        if stop.is_set():
            os._exit(128 + number)
        _LOG.info("asked to stop", signal=signal.Signals(number).name)
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal, number)
    settling = loop.call_later(_SETTLE_SECONDS, settle_memory)
    try:
        await run(stop)
    finally:
        settling.cancel()


def _leaves(error: BaseException) -> list[BaseException]:
    """The exceptions of a group and of the groups in it; or the one that is no group."""
    if not isinstance(error, BaseExceptionGroup):
        return [error]
    return [leaf for inner in error.exceptions for leaf in _leaves(inner)]


def settle_memory() -> None:
    """Take what exists now out of garbage collection, which would look at all of it again and again.

    Called when the caches are filled: tens of thousands of objects that stay for long hold no cycles, and a full
    collection over them would hold the loop for a tenth of a second.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 100)
    gc.enable()
