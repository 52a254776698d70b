"""Backoff: growing waits with a limit."""

from kubewire.client.backoff import Backoff


def test_waits_double_up_to_the_limit_until_reset() -> None:
    """1, 2, 4, 4 seconds, and 1 again after success."""
    backoff = Backoff(1, 4, jitter=0)
    assert [backoff.next() for _ in range(4)] == [1, 2, 4, 4]
    backoff.reset()
    assert backoff.next() == 1


def test_jitter_shortens() -> None:
    """A wait lies between (1 - jitter) and 1 times its length."""
    assert Backoff(8, 8, jitter=0.5, uniform=lambda: 0.0).next() == 8
    assert Backoff(8, 8, jitter=0.5, uniform=lambda: 1.0).next() == 4
