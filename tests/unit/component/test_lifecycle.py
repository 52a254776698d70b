"""Stages start in order and end in reverse."""

import asyncio
import contextlib
from collections.abc import Callable

import pytest

from kubewire.component.errors import StartError
from kubewire.component.lifecycle import Part, Run, Stage, Started, Supervisor


class Journal:
    """What happened, in order."""

    def __init__(self) -> None:
        self.entries: list[str] = []

    def part(self, name: str, *, fails: Exception | None = None) -> Part:
        """A part that notes when it is up and when it has ended."""

        async def run(started: Started) -> None:
            await asyncio.sleep(0)
            self.entries.append(f"{name} up")
            started()
            if fails is not None:
                raise fails
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0)
                self.entries.append(f"{name} ended")

        return Part(name, run)

    def note(self, entry: str) -> Callable[[], None]:
        """A callback that notes."""
        return lambda: self.entries.append(entry)


async def test_stages_start_in_order_and_end_in_reverse() -> None:
    """Each stage is up before the next starts, and has ended before the one under it ends."""
    journal, stop = Journal(), asyncio.Event()
    supervisor = Supervisor((Stage("one", (journal.part("a"),)), Stage("two", (journal.part("b"), journal.part("c")))))

    def up() -> None:
        journal.entries.append("all up")
        stop.set()

    await supervisor.run(stop, on_up=up, on_stop=journal.note("stopping"))
    assert journal.entries == [
        "a up", "b up", "c up", "all up", "stopping", "b ended", "c ended", "a ended",
    ]  # fmt: skip


async def test_cancellation_ends_in_reverse_too() -> None:
    """A supervisor hosted by another ends its stages as orderly as on a signal."""
    journal = Journal()
    supervisor = Supervisor((Stage("one", (journal.part("a"),)), Stage("two", (journal.part("b"),))))
    up = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(supervisor.run(asyncio.Event(), on_up=up.set, on_stop=journal.note("stopping")))
        await up.wait()
        task.cancel()
    assert journal.entries[2:] == ["stopping", "b ended", "a ended"]


async def test_a_part_that_fails_ends_the_process() -> None:
    """All others are ended, and the failure is told."""
    journal = Journal()
    failing = journal.part("b", fails=OSError("broken"))
    supervisor = Supervisor((Stage("one", (journal.part("a"),)), Stage("two", (failing,))))
    with pytest.raises(ExceptionGroup) as caught:
        await supervisor.run(asyncio.Event(), on_up=journal.note("all up"), on_stop=journal.note("stopping"))
    assert [str(error) for error in caught.value.exceptions] == ["broken"]
    assert journal.entries[-2:] == ["stopping", "a ended"] or journal.entries[-2:] == ["a ended", "stopping"]


async def test_a_part_that_fails_while_starting_keeps_later_stages_from_starting() -> None:
    """What could not start is told, and what comes after it never runs."""
    journal = Journal()

    async def refuse(_: Started) -> None:
        raise StartError("no etcd")

    supervisor = Supervisor((Stage("one", (Part("x", refuse),)), Stage("two", (journal.part("b"),))))
    with pytest.raises(ExceptionGroup) as caught:
        await supervisor.run(asyncio.Event(), on_up=journal.note("all up"), on_stop=lambda: None)
    assert [type(error) for error in caught.value.exceptions] == [StartError]
    assert journal.entries == []


async def test_a_part_that_ends_before_it_is_up_is_a_mistake() -> None:
    """A stage would otherwise wait for it for ever."""

    async def nothing(_: Started) -> None:
        return

    run: Run = nothing
    supervisor = Supervisor((Stage("one", (Part("x", run),)),))
    with pytest.raises(ExceptionGroup) as caught:
        await supervisor.run(asyncio.Event(), on_up=lambda: None, on_stop=lambda: None)
    assert "part x ended before it was up" in str(caught.value.exceptions[0])


async def test_a_part_may_be_done_once_it_is_up() -> None:
    """What creates something at the start and ends is a part too."""

    async def once(started: Started) -> None:
        started()

    stop = asyncio.Event()
    supervisor = Supervisor((Stage("one", (Part("once", once),)),))
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.01):
            await supervisor.run(stop, on_up=lambda: None, on_stop=lambda: None)
            pytest.fail("it waits to be stopped")
