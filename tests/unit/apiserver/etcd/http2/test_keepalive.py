"""Pings: only of a silent peer with calls under way, never more often than asked for, and an end to waiting."""

import asyncio

from kubewire.apiserver.etcd.http2.keepalive import Keepalive


class FakePeer:
    """A connection that notes what is asked of it, and answers pings after a while, or never.

    Attributes:
        pings: when it was pinged.
    """

    def __init__(self, answers_after: float | None = 0.5) -> None:
        self.is_idle = False
        self.pings: list[float] = []
        self.closed: tuple[float, str] | None = None
        self.keepalive = Keepalive(self, 10, 5)
        self._answers_after = answers_after
        self.keepalive.start()

    def ping(self) -> None:
        loop = asyncio.get_running_loop()
        self.pings.append(loop.time())
        if self._answers_after is not None:
            loop.call_later(self._answers_after, self.hear)

    def close(self, reason: str) -> None:
        self.closed = (asyncio.get_running_loop().time(), reason)

    def hear(self) -> None:
        """Something came from the peer."""
        self.keepalive.heard = asyncio.get_running_loop().time()


async def test_a_silent_peer_that_lives() -> None:
    """Pings go out after ten seconds of silence, and ten seconds after each answer."""
    peer = FakePeer()
    await asyncio.sleep(60)
    peer.keepalive.stop()
    assert peer.pings == [10, 20.5, 31, 41.5, 52]
    assert peer.closed is None


async def test_a_peer_that_talks() -> None:
    """A peer that is heard is not pinged; ten seconds after it falls silent, it is."""
    peer = FakePeer()
    for _ in range(9):
        await asyncio.sleep(4)
        peer.hear()
    await asyncio.sleep(11)
    peer.keepalive.stop()
    assert peer.pings == [46]


async def test_a_peer_that_is_gone() -> None:
    """A peer that does not answer a ping for five seconds is given up, and not pinged again."""
    peer = FakePeer(answers_after=None)
    await asyncio.sleep(60)
    assert peer.pings == [10]
    assert peer.closed == (15, "the peer did not answer a ping within 5 s")


async def test_an_idle_connection() -> None:
    """Without calls there are no pings, however long; with the first call they begin."""
    peer = FakePeer()
    peer.is_idle = True
    await asyncio.sleep(3600)
    assert peer.pings == []
    peer.is_idle = False
    await asyncio.sleep(10.4)
    peer.keepalive.stop()
    assert peer.pings == [3610]


async def test_a_process_that_was_stopped() -> None:
    """An answer that lay unread while the process was stopped is seen before the peer is given up.

    After the stop all timers that are due run first and only then what has come is read: here in the turn of the loop
    after the first of them.
    """
    peer = FakePeer(answers_after=None)
    loop = asyncio.get_running_loop()
    await asyncio.sleep(11)
    loop._clock.now += 100  # type: ignore[attr-defined]  # the clock of the loop that runs unit tests
    loop.call_soon(peer.hear)
    await asyncio.sleep(5)
    peer.keepalive.stop()
    assert peer.closed is None


async def test_stopping() -> None:
    """A watcher that is stopped does nothing more, whatever it was waiting for; twice is as good as once."""
    for seconds in (0, 11, 13):
        peer = FakePeer(answers_after=None)
        await asyncio.sleep(seconds)
        peer.keepalive.stop()
        peer.keepalive.stop()
        await asyncio.sleep(60)
        assert (len(peer.pings), peer.closed) == (seconds > 10, None)
