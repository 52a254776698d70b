"""Rate limiters: the waits Kubernetes' controllers use."""

from kubewire.client.workqueue.rate_limit import (
    ExponentialPerItem,
    LongestOf,
    Overall,
    TokenBucket,
    default_limiter,
)


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_waits_double_up_to_the_limit() -> None:
    """5 ms, 10 ms, 20 ms ... 1000 s, for each key of its own."""
    limiter = ExponentialPerItem[str]()
    assert [limiter.wait_seconds("a") for _ in range(4)] == [0.005, 0.01, 0.02, 0.04]
    assert limiter.wait_seconds("b") == 0.005
    assert max(limiter.wait_seconds("a") for _ in range(2000)) == 1000.0
    assert limiter.failures("a") == 2004


def test_forgetting_begins_anew() -> None:
    """A key that succeeded waits shortly after its next failure."""
    limiter = ExponentialPerItem[str]()
    limiter.wait_seconds("a")
    limiter.wait_seconds("a")
    limiter.forget("a")
    assert limiter.failures("a") == 0
    assert limiter.wait_seconds("a") == 0.005


def test_bucket_lets_a_burst_pass_then_spaces() -> None:
    """After the burst, each further one waits for the next token, in line."""
    clock = Clock()
    bucket = TokenBucket(10, 2, clock)
    assert [round(bucket.reserve_seconds(), 6) for _ in range(4)] == [0, 0, 0.1, 0.2]
    clock.now = 0.2
    assert round(bucket.reserve_seconds(), 6) == 0.1
    clock.now = 100
    assert [round(bucket.reserve_seconds(), 6) for _ in range(3)] == [0, 0, 0.1]


def test_bucket_without_reservation() -> None:
    """try_take takes only what is there, and a refusal costs nothing."""
    clock = Clock()
    bucket = TokenBucket(1 / 300, 2, clock)
    assert [bucket.try_take() for _ in range(3)] == [True, True, False]
    clock.now = 299
    assert not bucket.try_take()
    clock.now = 300
    assert bucket.try_take()


def test_longest_wait_holds() -> None:
    """Of several limiters the slowest decides, and all are told of success."""
    clock = Clock()
    limiter = LongestOf[str](ExponentialPerItem(), Overall(TokenBucket(1, 1, clock)))
    assert limiter.wait_seconds("a") == 0.005
    assert limiter.wait_seconds("a") == 1.0
    assert limiter.failures("a") == 2
    limiter.forget("a")
    assert limiter.failures("a") == 0


def test_default_is_kubernetes() -> None:
    """100 retries pass with their own short waits; the 101st key waits for the bucket."""
    limiter: LongestOf[int] = default_limiter(Clock())
    waits = [limiter.wait_seconds(index) for index in range(101)]
    assert waits[:100] == [0.005] * 100
    assert waits[100] == 0.1
