"""Choosing the objects of a page, now and at older revisions."""

from hypothesis import given
from hypothesis import strategies as st

from kubewire.apiserver.cache.history import History
from kubewire.apiserver.cache.items import Items, namespace_range
from kubewire.apiserver.cache.pages import Chosen, Range, choose
from kubewire.apiserver.cache.selection import EVERYTHING, Selection
from kubewire.apiserver.item import Event, Item
from kubewire.machinery.selectors import labels
from tests.unit.apiserver.cache.objects import pod

EVERYWHERE = Range("", "")


class Model:
    """Items and history as the cache keeps them, and the plain truth of every revision."""

    def __init__(self) -> None:
        self.items = Items()
        self.history = History(0)
        self.states: list[dict[str, Item]] = [{}]

    def write(self, key: str, *, is_deletion: bool, app: str = "web") -> None:
        """One more revision."""
        state = dict(self.states[-1])
        revision = len(self.states)
        previous = state.get(key)
        if not is_deletion:
            item = state[key] = pod(key, revision, app=app)
            self.items.put(key, item)
            self.history.append(Event("MODIFIED" if previous else "ADDED", item, previous, revision))
        elif previous is not None:
            del state[key]
            self.items.remove(key)
            self.history.append(Event("DELETED", pod(key, revision), previous, revision))
        self.states.append(state)

    def choose(self, revision: int, where: Range, selection: Selection, limit: int) -> Chosen:
        """As the cache does."""
        undo = self.history.undo(revision)
        assert undo is not None
        return choose(self.items, undo, where, selection, limit)


KEYS = st.sampled_from([f"{namespace}/{name}" for namespace in ("a", "a-b", "b") for name in "vwxyz"])
WRITES = st.lists(st.tuples(KEYS, st.booleans(), st.sampled_from(["web", "db"])), max_size=30)
SELECTIONS = st.sampled_from(
    [EVERYTHING, Selection("a"), Selection("", labels.parse("app=web")), Selection("b", labels.parse("app!=web"))]
)


@given(WRITES, SELECTIONS, st.integers(0, 4), st.data())
def test_pages_at_any_revision(
    writes: list[tuple[str, bool, str]], selection: Selection, limit: int, data: st.DataObject
) -> None:
    """All pages of a list at a revision together are what was selected then, and remainders are true."""
    model = Model()
    for key, is_deletion, app in writes:
        model.write(key, is_deletion=is_deletion, app=app)
    revision = data.draw(st.integers(0, len(model.states) - 1))
    truth = [item for _, item in sorted(model.states[revision].items()) if selection.matches(item)]

    start, end = namespace_range(selection.namespace)
    found: list[Item] = []
    while True:
        chosen = model.choose(revision, Range(start, end), selection, limit)
        found += chosen.items
        if chosen.remaining is not None:
            assert not selection.has_selectors
            assert chosen.remaining == len(truth) - len(found)
        if not chosen.next_start:
            break
        assert limit
        assert len(chosen.items) == limit
        start = chosen.next_start
    assert found == truth


def test_no_limit() -> None:
    """Without a limit everything comes at once and nothing remains."""
    model = Model()
    for index in range(5):
        model.write(f"a/{index}", is_deletion=False)
    chosen = model.choose(5, EVERYWHERE, EVERYTHING, 0)
    assert len(chosen.items) == 5
    assert (chosen.next_start, chosen.remaining) == ("", None)


def test_exactly_full() -> None:
    """A last page that is exactly full does not say that there is more."""
    model = Model()
    for index in range(4):
        model.write(f"a/{index}", is_deletion=False)
    assert model.choose(4, Range("a/2", ""), EVERYTHING, 2).next_start == ""
