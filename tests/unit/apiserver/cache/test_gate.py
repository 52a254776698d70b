"""Waiting for a revision."""

import asyncio

from kubewire.apiserver.cache.gate import RevisionGate


def make_gate() -> RevisionGate:
    """A gate on the loop's clock."""
    return RevisionGate(asyncio.get_running_loop().time)


async def test_seen_already() -> None:
    """Who asks for something seen does not wait."""
    gate = make_gate()
    gate.advance(5)
    assert await gate.wait_for(3) == 5


async def test_waiting() -> None:
    """Everybody is woken once theirs is reached, and not before."""
    gate = make_gate()
    async with asyncio.TaskGroup() as group:
        three, seven, four = (group.create_task(gate.wait_for(revision)) for revision in (3, 7, 4))
        await asyncio.sleep(1)
        gate.advance(4)
        await asyncio.sleep(1)
        assert (three.result(), four.result(), seven.done()) == (4, 4, False)
        gate.advance(9)
    assert seven.result() == 9


async def test_giving_up() -> None:
    """Whoever gives up is forgotten and disturbs nobody."""
    gate = make_gate()
    try:
        async with asyncio.timeout(1):
            await gate.wait_for(3)
    except TimeoutError:
        pass
    assert gate.overdue(0) == 0
    gate.advance(3)


async def test_overdue() -> None:
    """It tells the highest revision the store has and that is waited for too long."""
    gate = make_gate()
    loop = asyncio.get_running_loop()
    futures = {revision: loop.create_future() for revision in (7, 3, 9)}
    gate.tell(7, [futures[7]])
    gate.tell(3, [futures[3]])
    await gate.someone_waits()
    await asyncio.sleep(1)
    gate.tell(9, [futures[9]])
    assert gate.overdue(0.5) == 7
    assert gate.overdue(2) == 0
    futures[7].cancel()
    assert gate.overdue(0.5) == 3
    gate.advance(9)
    assert gate.overdue(0) == 0


async def test_what_clients_name_is_never_overdue() -> None:
    """A revision a client made up is waited for, but nobody is called to make it come."""
    gate = make_gate()
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(gate.wait_for(10**9))
        calling = group.create_task(gate.someone_waits())
        await asyncio.sleep(100)
        assert gate.overdue(1) == 0
        assert not calling.done()
        waiting.cancel()
        calling.cancel()
