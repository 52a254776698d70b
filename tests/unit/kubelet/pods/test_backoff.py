"""Restarts that are held back."""

from kubewire.kubelet.pods.backoff import RestartBackoff
from kubewire.kubelet.runtime.contracts import Container, Phase


def ended(attempt: int, finished_at: float, ran_seconds: float = 1.0) -> Container:
    """A container that has ended."""
    return Container(
        f"c{attempt}", "s", "app", attempt, Phase.EXITED, started_at=finished_at - ran_seconds, finished_at=finished_at
    )


def waits(*runs: float) -> list[float]:
    """How long the successors of containers wait that ran so long each."""
    backoff, now, found = RestartBackoff(), 1000.0, []
    for attempt, seconds in enumerate(runs):
        now += seconds
        last = ended(attempt, now, seconds)
        found.append(backoff.seconds(last))
        now = backoff.ready_at(last)
        backoff.restarted(last, now)
    return found


def test_waits_double_up_to_the_limit() -> None:
    """The first restart is at once; then 10 s, doubled up to five minutes."""
    assert waits(*[1.0] * 8) == [0, 10, 20, 40, 80, 160, 300, 300]


def test_whoever_ran_for_ten_minutes_begins_anew() -> None:
    """Twice the longest wait counts as health."""
    assert waits(1, 1, 1, 601, 1) == [0, 10, 20, 0, 10]
    assert waits(1, 1, 1, 599, 1) == [0, 10, 20, 40, 80]


def test_a_wait_is_what_it_was_while_the_restart_is_under_way() -> None:
    """That the next one will be longer is not told of the present one."""
    backoff = RestartBackoff()
    last = ended(0, 1000)
    backoff.restarted(last, 1000)
    assert backoff.seconds(last) == 0
    assert backoff.seconds(ended(1, 1001)) == 10


def test_a_loop_is_recalled_from_the_number_of_attempts() -> None:
    """A kubelet that was restarted does not let a crash loop begin anew, but who ran long enough does."""
    assert [RestartBackoff().seconds(ended(attempt, 1000)) for attempt in (0, 1, 2, 5, 9)] == [0, 10, 20, 160, 300]
    assert RestartBackoff().seconds(ended(9, 1000, 700)) == 0


def test_each_container_waits_for_itself() -> None:
    """Waits are by name."""
    backoff = RestartBackoff()
    backoff.restarted(ended(0, 1000), 1000)
    other = Container("x", "s", "aid", 0, Phase.EXITED, finished_at=1000.0)
    assert backoff.seconds(other) == 0
