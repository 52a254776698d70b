"""RateLimitingQueue: failures come back later and later."""

import asyncio

from kubewire.client.workqueue.rate_limit import ExponentialPerItem
from kubewire.client.workqueue.retry import RateLimitingQueue


async def test_failures_come_back_later_and_later() -> None:
    """Each failure doubles the wait, and success resets it."""
    queue = RateLimitingQueue[str](ExponentialPerItem(1, 60))
    loop = asyncio.get_running_loop()
    times = []
    queue.add("a")
    for _ in range(4):
        await queue.get()
        times.append(loop.time())
        queue.add_rate_limited("a")
        queue.done("a")
    assert times == [0, 1, 3, 7]
    assert queue.failures("a") == 4
    queue.forget("a")
    assert queue.failures("a") == 0
    assert queue.add_rate_limited("a") == 1
