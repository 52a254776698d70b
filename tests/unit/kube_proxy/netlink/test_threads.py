"""Work in threads is finished before those who wait for it go on."""

import asyncio
import threading

import pytest

from kubewire.kube_proxy.netlink.threads import WorkerThread


def test_results_and_failures() -> None:
    """What the work gives or raises comes back."""

    async def run() -> None:
        assert await thread.do(lambda: 7) == 7
        with pytest.raises(ZeroDivisionError):
            await thread.do(lambda: 1 / 0)

    thread = WorkerThread("test")

    asyncio.run(run())
    thread.close()


def test_who_is_cancelled_waits() -> None:
    """A task that is cancelled ends when its work has, not before."""
    begun, go_on, done = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        go_on.wait(10)
        done.set()

    async def run() -> None:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(thread.do(work))
            await asyncio.to_thread(begun.wait, 10)
            task.cancel()
            await asyncio.sleep(0)
            assert not task.done()
            go_on.set()
            await asyncio.wait([task])
            assert done.is_set()

    thread = WorkerThread("test")
    asyncio.run(run())
    thread.close()
