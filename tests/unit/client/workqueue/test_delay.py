"""DelayingQueue: later means later, and once."""

import asyncio

from kubewire.client.workqueue.delay import DelayingQueue


async def test_a_key_arrives_after_its_time() -> None:
    """The key is not there before the time has passed, and there when it has."""
    queue = DelayingQueue[str]()
    queue.add_after("a", 10)
    await asyncio.sleep(9.9)
    assert len(queue) == 0
    await asyncio.sleep(0.2)
    assert len(queue) == 1
    assert queue.delayed == frozenset()


async def test_the_earlier_time_wins() -> None:
    """A key added for later twice comes once, at the earlier of the two times."""
    queue = DelayingQueue[str]()
    queue.add_after("a", 10)
    queue.add_after("a", 2)
    queue.add_after("a", 5)
    assert queue.delayed == {"a"}
    await asyncio.sleep(2.1)
    assert await queue.get() == "a"
    queue.done("a")
    await asyncio.sleep(20)
    assert len(queue) == 0


async def test_no_delay_adds_at_once() -> None:
    """Nothing and less than nothing to wait for is a plain addition."""
    queue = DelayingQueue[str]()
    queue.add_after("a", 0)
    queue.add_after("b", -1)
    assert len(queue) == 2


async def test_shutdown_forgets_what_was_for_later() -> None:
    """No key arrives after shutdown, and none is accepted."""
    queue = DelayingQueue[str]()
    queue.add_after("a", 10)
    queue.shut_down()
    queue.add_after("b", 10)
    await asyncio.sleep(20)
    assert len(queue) == 0
    assert queue.delayed == frozenset()
