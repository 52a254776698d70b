"""Sharing leases."""

import asyncio

import pytest

from kubewire.apiserver.storage.leases import KEYS_PER_LEASE, LeasePool, reuse_seconds


class Grants:
    """A store's side of leases, with a clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0
        self.granted: list[int] = []

    async def grant(self, seconds: int) -> int:
        """The next lease; takes a moment, as a call does."""
        await asyncio.sleep(0.01)
        self.granted.append(seconds)
        return len(self.granted)

    def clock(self) -> float:
        """Seconds."""
        return self.now


@pytest.mark.parametrize(("ttl", "window"), [(3600, 60), (1200, 60), (600, 30), (20, 1), (15, 0)])
def test_window(ttl: int, window: int) -> None:
    """A lease is reused for a twentieth of the time to live, but not longer than a minute."""
    assert reuse_seconds(ttl) == window


async def test_keys_share_a_lease() -> None:
    """Keys within the window hang on one lease, which lives the window longer."""
    grants = Grants()
    pool = LeasePool(grants.grant, grants.clock)
    leases = {await pool.lease_for(3600) for _ in range(10)}
    assert leases == {1}
    assert grants.granted == [3660]


async def test_a_lease_is_renewed_after_its_window() -> None:
    """Once the window is over, a key would live too short a time on the old lease."""
    grants = Grants()
    pool = LeasePool(grants.grant, grants.clock)
    assert await pool.lease_for(3600) == 1
    grants.now = 59.9
    assert await pool.lease_for(3600) == 1
    grants.now = 60.0
    assert await pool.lease_for(3600) == 2


async def test_a_lease_holds_a_limited_number_of_keys() -> None:
    """A full lease is followed by another one."""
    grants = Grants()
    pool = LeasePool(grants.grant, grants.clock)
    leases = [await pool.lease_for(3600) for _ in range(KEYS_PER_LEASE + 1)]
    assert leases[-2:] == [1, 2]


async def test_many_at_once_share_one_grant() -> None:
    """Keys that need a lease at the same moment wait for the same one."""
    grants = Grants()
    pool = LeasePool(grants.grant, grants.clock)
    assert set(await asyncio.gather(*(pool.lease_for(3600) for _ in range(20)))) == {1}


async def test_times_to_live_do_not_mix() -> None:
    """A key never hangs on a lease of another length."""
    grants = Grants()
    pool = LeasePool(grants.grant, grants.clock)
    assert await pool.lease_for(3600) != await pool.lease_for(60)
    assert grants.granted == [3660, 63]


async def test_short_lives_are_not_shared() -> None:
    """Below twenty seconds there is no window: every key has its own lease."""
    grants = Grants()
    pool = LeasePool(grants.grant, grants.clock)
    assert [await pool.lease_for(15), await pool.lease_for(15)] == [1, 2]


async def test_forget() -> None:
    """A lease the store lost is not handed out again."""
    grants = Grants()
    pool = LeasePool(grants.grant, grants.clock)
    pool.forget(await pool.lease_for(3600))
    assert await pool.lease_for(3600) == 2
