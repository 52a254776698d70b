"""Waiting for etcd, and noticing that it is away."""

import asyncio

import pytest

from kubewire.apiserver.errors import StoreNotReached
from kubewire.apiserver.storage.errors import StoreUnavailable
from kubewire.apiserver.storage.memory import MemoryStore
from kubewire.apiserver.store_probe import StoreProbe
from kubewire.client.testing import virtual_time


class Shaky(MemoryStore):
    """Does not answer while it is away."""

    def __init__(self, *, is_away: bool = False) -> None:
        super().__init__()
        self.is_away = is_away
        self.asked = 0

    async def revision(self, *, timeout_seconds: float = 10.0) -> int:
        self.asked += 1
        if self.is_away:
            raise StoreUnavailable("connection refused")
        return 1


def test_a_store_that_comes_late_is_waited_for() -> None:
    """With pauses that grow to a second."""

    async def main() -> None:
        store = Shaky(is_away=True)
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(StoreProbe(store).wait(60, "there"))
            await asyncio.sleep(20)
            assert not waiting.done()
            assert store.asked < 30
            store.is_away = False

    virtual_time.run(main())


def test_patience_ends() -> None:
    """The error says where, how long, and what the last failure was."""

    async def main() -> None:
        with pytest.raises(StoreNotReached, match="etcd at http://x did not answer within 5 s: connection refused"):
            await StoreProbe(Shaky(is_away=True)).wait(5, "http://x")
        assert 3 < asyncio.get_running_loop().time() <= 5

    virtual_time.run(main())


def test_one_missed_answer_is_no_outage() -> None:
    """Two in a row are, until it answers again."""

    async def main() -> None:
        store = Shaky()
        probe = StoreProbe(store)
        problems = []
        async with asyncio.TaskGroup() as group:
            running = group.create_task(probe.run())
            for is_away in (False, True, True, False):
                store.is_away = is_away
                await asyncio.sleep(2.0)
                await asyncio.sleep(0.001)
                problems.append(probe.problem())
            running.cancel()
        assert problems == ["", "", "connection refused", ""]

    virtual_time.run(main())
