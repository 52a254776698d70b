"""Calls that run out of time: never early, a sixteenth of a second late at most, and not when they are over."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from kubewire.apiserver.etcd.http2.calls import Call
from kubewire.apiserver.etcd.http2.deadlines import Deadlines
from kubewire.client.testing import virtual_time


@given(st.lists(st.tuples(st.floats(0, 20), st.booleans()), max_size=20))
def test_each_in_its_time(plan: list[tuple[float, bool]]) -> None:
    """Each call that is not over expires once, at its time or a sixteenth of a second after it."""

    async def wait() -> None:
        loop = asyncio.get_running_loop()
        expired: dict[Call, float] = {}
        deadlines = Deadlines(loop, lambda call: expired.update({call: loop.time()}))
        limits: dict[Call, float] = {}
        for seconds, is_over in plan:
            call = Call(is_unary=True)
            due = deadlines.add(call, seconds)
            if is_over:
                due.discard(call)
            else:
                limits[call] = seconds
        await asyncio.sleep(30)
        assert expired.keys() == limits.keys()
        assert all(limits[call] <= moment <= limits[call] + 1 / 16 for call, moment in expired.items())
        assert not deadlines._due
        assert not deadlines._timers

    virtual_time.run(wait())


async def test_stopping() -> None:
    """After the end nothing expires."""
    expired: list[Call] = []
    deadlines = Deadlines(asyncio.get_running_loop(), expired.append)
    call = Call(is_unary=True)
    due = deadlines.add(call, 1)
    deadlines.stop()
    await asyncio.sleep(5)
    due.discard(call)
    assert expired == []
