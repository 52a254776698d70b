"""Correlator: the same again is counted, many alike are combined, and no object may flood."""

from kubewire.client.events.correlator import (
    ALIKE_AT_MOST,
    BURST,
    COMBINED,
    REMEMBERED_AT_MOST,
    Correlator,
    Decision,
    Series,
)
from kubewire.client.events.occurrence import NORMAL, Occurrence, Subject

WEB = Subject("v1", "Pod", "default", "web", "u1")


def seen(message: str = "m", *, at: float = 0.0, reason: str = "Pulled", subject: Subject = WEB) -> Occurrence:
    """An occurrence."""
    return Occurrence(subject, NORMAL, reason, message, at)


def tell(correlator: Correlator, occurrence: Occurrence, name: str = "e") -> Decision:
    """Decide and write."""
    decision = correlator.decide(occurrence)
    assert decision is not None
    correlator.written(decision, decision.series.name or name)
    return decision


def test_a_new_event_and_the_same_again() -> None:
    """The first makes an Event, the following ones count it up, since when it was first seen."""
    correlator = Correlator()
    first = tell(correlator, seen(at=5))
    assert first.series == Series("", 1, 5)
    again = tell(correlator, seen(at=9))
    assert again.series == Series("e", 2, 5)
    assert tell(correlator, seen("other", at=9), "f").series == Series("", 1, 9)
    assert tell(correlator, seen(at=10)).series.count == 3


def test_a_part_of_an_object_is_apart() -> None:
    """The same message about two containers is two events."""
    correlator = Correlator()
    tell(correlator, seen(subject=WEB._replace(field_path="spec.containers{a}")))
    other = tell(correlator, seen(subject=WEB._replace(field_path="spec.containers{b}")))
    assert other.series.count == 1


def test_many_alike_are_combined() -> None:
    """From the tenth message on, one Event stands for all that follow, with the last message."""
    correlator = Correlator()
    decisions = [tell(correlator, seen(f"m{number}"), f"e{number}") for number in range(ALIKE_AT_MOST + 2)]
    assert [decision.series.name for decision in decisions] == [""] * ALIKE_AT_MOST + [f"e{ALIKE_AT_MOST - 1}"] * 2
    assert decisions[-4].occurrence.message == "m8"
    assert decisions[-1].occurrence.message == f"{COMBINED}m{ALIKE_AT_MOST + 1}"
    assert decisions[-1].series.count == 3


def test_alike_but_far_apart() -> None:
    """Ten minutes without one alike, and they are told one by one again."""
    correlator = Correlator()
    for number in range(ALIKE_AT_MOST):
        tell(correlator, seen(f"m{number}"))
    assert tell(correlator, seen("x", at=601)).occurrence.message == "x"


def test_an_object_has_a_budget() -> None:
    """25 at once, then one in five minutes; what was not written is counted. Other objects have their own."""
    correlator = Correlator()
    for _ in range(BURST):
        tell(correlator, seen())
    assert correlator.decide(seen(at=1)) is None
    assert correlator.decide(seen(at=299)) is None
    assert correlator.decide(seen(subject=WEB._replace(name="db"), at=1)) is not None
    later = correlator.decide(seen(at=301))
    assert later is not None
    assert later.series.count == BURST + 3


def test_what_was_never_written_is_counted() -> None:
    """An event whose first occurrences found no budget is made with their count."""
    correlator = Correlator()
    for _ in range(BURST):
        tell(correlator, seen())
    assert correlator.decide(seen("new", at=1)) is None
    decision = correlator.decide(seen("new", at=400))
    assert decision is not None
    assert decision.series == Series("", 2, 1)


def test_memory_is_bounded() -> None:
    """The longest unused is forgotten first."""
    correlator = Correlator()
    tell(correlator, seen())
    for number in range(REMEMBERED_AT_MOST):
        tell(correlator, seen(subject=WEB._replace(name=f"p{number}")))
    assert tell(correlator, seen()).series.count == 1
