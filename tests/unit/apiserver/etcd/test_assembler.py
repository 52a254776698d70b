"""Putting fragments of watch answers together."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from kubewire.apiserver.etcd.assembler import RevisionAssembler
from kubewire.etcd.kv_pb2 import Event, KeyValue


def event(revision: int) -> Event:
    """A change at a revision."""
    return Event(kv=KeyValue(key=b"k", mod_revision=revision))


def revisions(events: list[Event]) -> list[int]:
    """Revisions of events."""
    return [one.kv.mod_revision for one in events]


def test_whole_answers_pass_through() -> None:
    """An answer that is no fragment is complete."""
    assert revisions(RevisionAssembler().add([event(1), event(2)], is_fragment=False)) == [1, 2]


def test_last_revision_of_a_fragment_is_held() -> None:
    """Of a fragment, the last revision waits for the next one; earlier ones do not."""
    assembler = RevisionAssembler()
    assert revisions(assembler.add([event(1), event(2), event(2)], is_fragment=True)) == [1]
    assert revisions(assembler.add([event(2), event(3)], is_fragment=False)) == [2, 2, 2, 3]


def test_one_revision_over_many_fragments() -> None:
    """A revision that fills several fragments arrives as a whole."""
    assembler = RevisionAssembler()
    assert assembler.add([event(7)] * 3, is_fragment=True) == []
    assert assembler.add([event(7)] * 3, is_fragment=True) == []
    assert revisions(assembler.add([event(7)], is_fragment=False)) == [7] * 7


def test_empty_answers() -> None:
    """Answers without changes (progress) give none."""
    assembler = RevisionAssembler()
    assert assembler.add([], is_fragment=False) == []
    assert assembler.add([], is_fragment=True) == []


@given(st.lists(st.integers(1, 4), min_size=1), st.data())
def test_no_revision_is_ever_split(sizes: list[int], data: st.DataObject) -> None:
    """However answers are cut, everything comes once, in order, and no revision in two parts."""
    stream = [event(revision) for revision, size in enumerate(sizes, start=1) for _ in range(size)]
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)))))
    assembler = RevisionAssembler()
    bounds = [0, *cuts, len(stream)]
    parts = [
        revisions(assembler.add(stream[start:end], is_fragment=index < len(bounds) - 2))
        for index, (start, end) in enumerate(itertools.pairwise(bounds))
    ]
    assert [revision for part in parts for revision in part] == revisions(stream)
    ends = [part for part in parts if part]
    assert all(one[-1] < two[0] for one, two in itertools.pairwise(ends))
