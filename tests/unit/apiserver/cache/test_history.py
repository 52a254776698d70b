"""Events kept for resuming and for undoing."""

from kubewire.apiserver.cache.history import History
from kubewire.apiserver.item import Event, Item
from tests.unit.apiserver.cache.objects import added, modified, pod


def filled(count: int, *, floor: int = 10, max_events: int = 100, max_bytes: int = 1 << 20) -> History:
    """A history with changes of one pod at floor+1, floor+2, ..."""
    history = History(floor, max_events=max_events, max_bytes=max_bytes)
    previous: Item | None = None
    for revision in range(floor + 1, floor + 1 + count):
        item = pod("a/b", revision)
        history.append(added(item) if previous is None else modified(item, previous))
        previous = item
    return history


def revisions(history: History, since: int) -> list[int] | None:
    """Revisions of the events since one."""
    events = history.since(since)
    return None if events is None else [event.revision for event in events]


def test_since() -> None:
    """Everything after a revision, down to the floor; below it nothing is promised."""
    history = filled(3)
    assert revisions(history, 10) == [11, 12, 13]
    assert revisions(history, 12) == [13]
    assert revisions(history, 13) == revisions(history, 99) == []
    assert revisions(history, 9) is None


def test_bounded_by_count() -> None:
    """The oldest events go first, and the floor rises with them."""
    history = filled(10, max_events=3)
    assert history.floor == 17
    assert len(history) == 3
    assert revisions(history, 16) is None
    assert revisions(history, 17) == [18, 19, 20]


def test_bounded_by_bytes() -> None:
    """Only what the history alone keeps alive counts: objects that were overwritten."""
    size = len(pod("a/b", 11).raw)
    history = filled(10, max_bytes=size * 2)
    assert len(history) == 2
    assert history.floor == 18


def test_events_of_one_revision() -> None:
    """Of several events at one revision some may be dropped: nobody is served from before it then."""
    history = History(0, max_events=2)
    for name in ("a/1", "a/2", "a/3"):
        history.append(added(pod(name, 5)))
    assert history.floor == 5
    assert revisions(history, 4) is None
    assert revisions(history, 5) == []


def test_long_running() -> None:
    """After thousands of drops the list is still searched and cut correctly."""
    history = filled(5000, max_events=10)
    assert history.floor == 5000
    assert revisions(history, 5005) == [5006, 5007, 5008, 5009, 5010]


def test_forget_through() -> None:
    """Old events can be dropped; an empty history serves from its floor on."""
    history = filled(3)
    history.forget_through(12)
    assert (history.floor, len(history)) == (12, 1)
    history.forget_through(99)
    assert (history.floor, len(history)) == (13, 0)
    assert revisions(history, 13) == []


def test_undo() -> None:
    """For each key changed since, what it was at the revision: the oldest later change tells."""
    history = History(10)
    one, two, three = pod("a/b", 5), pod("a/b", 11), pod("a/b", 13)
    history.append(modified(two, one))
    history.append(added(pod("a/new", 12)))
    history.append(modified(three, two))
    history.append(Event("DELETED", pod("a/gone", 14), pod("a/gone", 3), 14))
    undone = history.undo(11)
    assert undone is not None
    assert undone["a/b"] is two
    assert undone["a/new"] is None
    assert undone["a/gone"] is not None
    assert undone["a/gone"].revision == 3
    assert history.undo(14) == {}
    assert history.undo(9) is None
