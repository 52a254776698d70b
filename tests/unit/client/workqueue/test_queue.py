"""WorkQueue: each key once, never with two workers, nothing missed."""

import asyncio

import pytest

from kubewire.client.workqueue.queue import ShutDown, WorkQueue


async def test_a_waiting_key_is_there_once() -> None:
    """Adding a key that waits changes nothing."""
    queue = WorkQueue[str]()
    queue.add("a")
    queue.add("a")
    queue.add("b")
    assert len(queue) == 2
    assert list(queue.waiting) == ["a", "b"]
    assert [await queue.get(), await queue.get()] == ["a", "b"]


async def test_a_key_added_while_processed_comes_back_when_done() -> None:
    """A key in a worker's hands is handed to nobody else, and is queued again once it is done."""
    queue = WorkQueue[str]()
    queue.add("a")
    assert await queue.get() == "a"
    queue.add("a")
    queue.add("a")
    assert len(queue) == 0
    queue.done("a")
    assert len(queue) == 1
    assert await queue.get() == "a"
    queue.done("a")
    assert len(queue) == 0


async def test_a_key_added_before_taken_is_processed_once() -> None:
    """Additions before a worker takes the key do not bring it back."""
    queue = WorkQueue[str]()
    queue.add("a")
    queue.add("a")
    await queue.get()
    queue.done("a")
    assert len(queue) == 0


async def test_workers_wait_and_are_woken_in_order() -> None:
    """Each addition wakes one waiting worker, the longest waiting first."""
    queue = WorkQueue[str]()
    got: list[tuple[str, str]] = []

    async def work(worker: str) -> None:
        got.append((worker, await queue.get()))

    async with asyncio.TaskGroup() as group:
        for worker in ("first", "second"):
            group.create_task(work(worker))
        await asyncio.sleep(1)
        queue.add("a")
        queue.add("b")
    assert got == [("first", "a"), ("second", "b")]


async def test_a_cancelled_worker_passes_its_key_on() -> None:
    """A worker that is cancelled between being woken and running does not take the key with it."""
    queue = WorkQueue[str]()
    got: list[str] = []

    async def work() -> None:
        got.append(await queue.get())

    async with asyncio.TaskGroup() as group:
        victim = group.create_task(work())
        group.create_task(work())
        await asyncio.sleep(1)
        queue.add("a")
        victim.cancel()
    assert got == ["a"]


async def test_shutdown_hands_out_what_waits() -> None:
    """After shutdown additions are ignored, workers get what waits and then ShutDown."""
    queue = WorkQueue[str]()
    queue.add("a")
    queue.shut_down()
    queue.add("b")
    assert await queue.get() == "a"
    with pytest.raises(ShutDown):
        await queue.get()


async def test_shutdown_wakes_waiting_workers() -> None:
    """Workers that wait when the queue shuts down end."""
    queue = WorkQueue[str]()

    async def work() -> None:
        with pytest.raises(ShutDown):
            await queue.get()

    async with asyncio.TaskGroup() as group:
        group.create_task(work())
        group.create_task(work())
        await asyncio.sleep(1)
        queue.shut_down()


async def test_drain_waits_for_workers() -> None:
    """Draining ends when every key that waited or was worked on is done, those added again meanwhile included."""
    queue = WorkQueue[str]()
    queue.add("a")
    await queue.get()
    queue.add("a")
    finished: list[str] = []

    async def drain() -> None:
        await queue.drain()
        finished.append("drained")

    async with asyncio.TaskGroup() as group:
        group.create_task(drain())
        await asyncio.sleep(1)
        queue.done("a")
        await asyncio.sleep(1)
        assert finished == []
        assert await queue.get() == "a"
        queue.done("a")
    assert finished == ["drained"]


async def test_drain_of_an_idle_queue_ends_at_once() -> None:
    """There is nothing to wait for."""
    await WorkQueue[str]().drain()


async def test_done_twice_is_harmless() -> None:
    """A key that is not in anybody's hands cannot be finished."""
    queue = WorkQueue[str]()
    queue.add("a")
    await queue.get()
    queue.done("a")
    queue.done("a")
    assert queue.processing == frozenset()


async def test_stuck_workers_show() -> None:
    """The time workers hold their keys is told while they hold them."""
    queue = WorkQueue[str]()
    assert queue.longest_running_seconds() == 0
    queue.add("a")
    queue.add("b")
    await queue.get()
    await asyncio.sleep(3)
    await queue.get()
    await asyncio.sleep(2)
    assert queue.longest_running_seconds() == 5
    assert queue.unfinished_seconds() == 7
