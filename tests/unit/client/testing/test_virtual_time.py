"""Virtual time: waiting takes none, order is kept, deadlocks are errors."""

import asyncio

import pytest

from kubewire.client.testing.virtual_time import Deadlock, run


def test_sleeping_moves_the_clock() -> None:
    """An hour of sleep is an hour on the loop's clock."""

    async def sleep() -> float:
        await asyncio.sleep(3600)
        return asyncio.get_running_loop().time()

    assert run(sleep()) == 3600


def test_sleepers_wake_in_order() -> None:
    """Tasks wake in the order of their times, whatever the order in which they went to sleep."""
    woken: list[int] = []

    async def sleep(seconds: int) -> None:
        await asyncio.sleep(seconds)
        woken.append(seconds)

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            for seconds in (30, 10, 20):
                group.create_task(sleep(seconds))

    run(main())
    assert woken == [10, 20, 30]


def test_timeouts_pass_in_virtual_time() -> None:
    """A timeout of a minute is over at once."""

    async def wait() -> None:
        async with asyncio.timeout(60):
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        run(wait())


def test_a_deadlock_is_raised() -> None:
    """Waiting for what nobody will do is an error, not a hang."""

    async def wait() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(Deadlock):
        run(wait())


def test_threads_may_wake_the_loop() -> None:
    """A thread's result arrives although the loop has no timer."""

    async def main() -> int:
        return await asyncio.to_thread(lambda: 42)

    assert run(main()) == 42
