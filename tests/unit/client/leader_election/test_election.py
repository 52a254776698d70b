"""Election: what one candidate does, given what it saw and when."""

from kubewire.api.coordination.v1.lease_pb2 import Lease
from kubewire.client.leader_election import record as records
from kubewire.client.leader_election.config import ElectionConfig
from kubewire.client.leader_election.election import Create, Election, Read, StepDown, Update, Wait
from kubewire.client.leader_election.record import Record

WALL = 1_700_000_000.0


def election(identity: str = "a") -> Election:
    """A candidate with Kubernetes' times and no jitter."""
    return Election("kube-system", "scheduler", identity, ElectionConfig(), uniform=lambda: 0.0)


def lease(holder: str, *, renewed: float = WALL, transitions: int = 0, seconds: int = 15) -> Lease:
    """A lease as the server has it."""
    made = Lease()
    made.metadata.name, made.metadata.uid, made.metadata.resourceVersion = "scheduler", "u", "1"
    records.write(made, Record(holder, seconds, WALL, renewed, transitions))
    return made


def leading(since: float = 0.0) -> Election:
    """A candidate that has just made its lease."""
    candidate = election()
    candidate.plan(since, WALL)
    candidate.missing()
    planned = candidate.plan(since, WALL)
    assert isinstance(planned, Create)
    candidate.written(planned.lease, since)
    return candidate


def test_a_lease_that_is_not_there_is_made() -> None:
    """The first one reads, creates and leads, with zero transitions."""
    candidate = election()
    assert isinstance(candidate.plan(0, WALL), Read)
    candidate.missing()
    planned = candidate.plan(0, WALL)
    assert isinstance(planned, Create)
    assert records.read(planned.lease) == Record("a", 15, WALL, WALL, 0)
    assert planned.lease.metadata.namespace == "kube-system"
    candidate.written(planned.lease, 0.1)
    assert candidate.is_leading
    assert candidate.holder == "a"


def test_a_leader_renews_without_reading() -> None:
    """Every two seconds, keeping when it acquired the lease."""
    candidate = leading()
    assert candidate.plan(0, WALL) == Wait(2)
    planned = candidate.plan(2, WALL + 2)
    assert isinstance(planned, Update)
    assert records.read(planned.lease) == Record("a", 15, WALL, WALL + 2, 0)
    candidate.written(planned.lease, 2.5)
    assert candidate.deadline == 12


def test_every_renewal_is_a_change() -> None:
    """Others judge by change: a wall clock that stands still, or goes back, does not look like a dead leader."""
    candidate = leading()
    for now, wall in ((2, WALL), (4, WALL - 3600)):
        before = candidate.lease
        planned = candidate.plan(now, wall)
        assert isinstance(planned, Update)
        assert before is not None
        assert records.read(planned.lease).renewed_at > records.read(before).renewed_at
        candidate.written(planned.lease, now)


def test_the_deadline_counts_from_the_question() -> None:
    """A renewal whose answer took four seconds is good for six more."""
    candidate = leading()
    planned = candidate.plan(2, WALL)
    assert isinstance(planned, Update)
    candidate.written(planned.lease, 6)
    assert candidate.deadline == 12


def test_a_failed_renewal_is_repeated_after_reading() -> None:
    """A lost answer may have been a renewal: the lease is read, and renewed with the version found."""
    candidate = leading()
    candidate.plan(2, WALL)
    candidate.failed(3)
    assert candidate.plan(3, WALL) == Wait(2)
    assert isinstance(candidate.plan(5, WALL), Read)
    assert candidate.slow_renewals == 1
    candidate.found(lease("a", renewed=WALL + 2), 5.1)
    assert isinstance(candidate.plan(5.1, WALL), Update)


def test_a_leader_steps_down_at_its_deadline() -> None:
    """Ten seconds after the last renewal was asked for, whatever fails."""
    candidate = leading()
    for now in (2, 4, 6, 8):
        assert not isinstance(candidate.plan(now, WALL), StepDown | Wait)
        candidate.failed(now)
    assert candidate.plan(8.5, WALL) == Wait(1.5)
    assert candidate.plan(10, WALL) == StepDown("no renewal for 10 s")
    assert not candidate.is_leading


def test_calls_never_outlast_the_deadline() -> None:
    """The last try has what is left of it."""
    candidate = leading()
    candidate.plan(2, WALL)
    candidate.failed(7)
    planned = candidate.plan(9, WALL)
    assert isinstance(planned, Read)
    assert planned.timeout_seconds == 1


def test_a_leader_steps_down_when_another_holds_the_lease() -> None:
    """However that came about."""
    candidate = leading()
    candidate.plan(2, WALL)
    candidate.failed(2)
    candidate.plan(4, WALL)
    candidate.found(lease("b"), 4)
    assert candidate.plan(4, WALL) == StepDown("b holds the lease")


def test_a_leader_steps_down_when_the_lease_was_deleted() -> None:
    """Somebody else may be making it anew."""
    candidate = leading()
    candidate.plan(2, WALL)
    candidate.failed(2)
    candidate.plan(4, WALL)
    candidate.missing()
    assert candidate.plan(4, WALL) == StepDown("nobody holds the lease")


def test_a_held_lease_is_left_alone() -> None:
    """For fifteen seconds after it was last seen to change, whatever time its holder wrote."""
    candidate = election()
    candidate.plan(0, WALL)
    candidate.found(lease("b", renewed=WALL - 9000), 0)
    assert candidate.plan(0, WALL) == Wait(2)
    for now in (2, 4, 6, 8, 10, 12, 14):
        assert isinstance(candidate.plan(now, WALL), Read)
        candidate.found(lease("b", renewed=WALL - 9000), now)
        assert isinstance(candidate.plan(now, WALL), Wait)
    assert isinstance(candidate.plan(16, WALL), Read)
    candidate.found(lease("b", renewed=WALL - 9000), 16)
    planned = candidate.plan(16, WALL)
    assert isinstance(planned, Update)
    assert records.read(planned.lease) == Record("a", 15, WALL, WALL, 1)


def test_a_renewed_lease_is_left_alone_for_ever() -> None:
    """Each change of the record counts anew."""
    candidate = election()
    for now in range(0, 100, 2):
        assert isinstance(candidate.plan(now, WALL), Read)
        candidate.found(lease("b", renewed=WALL + now), now)
        assert isinstance(candidate.plan(now, WALL), Wait)


def test_a_released_lease_is_taken_at_once() -> None:
    """A lease without a holder is nobody's."""
    candidate = election()
    candidate.plan(0, WALL)
    candidate.found(lease("", transitions=3), 0)
    planned = candidate.plan(0, WALL)
    assert isinstance(planned, Update)
    assert records.read(planned.lease).transitions == 4


def test_our_own_lease_is_taken_up_again() -> None:
    """A candidate that finds itself as the holder goes on without a transition."""
    candidate = election()
    candidate.plan(0, WALL)
    candidate.found(lease("a", transitions=3), 0)
    planned = candidate.plan(0, WALL)
    assert isinstance(planned, Update)
    assert records.read(planned.lease).transitions == 3


def test_a_lost_race_is_noticed() -> None:
    """Who fails to write looks again later."""
    candidate = election()
    candidate.plan(0, WALL)
    candidate.missing()
    assert isinstance(candidate.plan(0, WALL), Create)
    candidate.failed(0.1)
    assert not candidate.is_leading
    assert isinstance(candidate.plan(0.1, WALL), Wait)
    assert isinstance(candidate.plan(2.1, WALL), Read)


def test_candidates_do_not_look_in_step() -> None:
    """Their waits are up to 2.2 times as long as the retry period."""
    candidate = Election("n", "l", "a", ElectionConfig(), uniform=lambda: 1.0)
    candidate.plan(0, WALL)
    candidate.found(lease("b"), 0)
    assert candidate.plan(0, WALL) == Wait(4.4)


def test_releasing_gives_the_lease_to_nobody() -> None:
    """The lease has no holder, and lasts a second; releasing again does nothing."""
    candidate = leading()
    released = candidate.release(WALL + 5)
    assert released is not None
    assert records.read(released) == Record("", 1, WALL + 5, WALL + 5, 0)
    assert candidate.release(WALL + 5) is None
    assert election().release(WALL) is None
