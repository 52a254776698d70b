"""The ring of recent writes is bounded and finds the writes of an object, newest first."""

from hypothesis import given
from hypothesis import strategies as st

from kubewire.apiserver.record.ring import WriteRecord, WriteRing


def write(name: str, revision: int) -> WriteRecord:
    """An update of pod `default/<name>`."""
    return WriteRecord("pods", "default", name, "u", "update", "", revision, "admin", "kubectl", "", 0.0, 0.0, 0.0)


def test_writes_of_an_object_come_newest_first() -> None:
    """Asking for one object gives its writes only, the newest first."""
    ring = WriteRing(capacity=10)
    for revision, name in enumerate(["a", "b", "a", "c", "a"], start=1):
        ring.add(write(name, revision))
    assert [record.revision for record in ring.of("pods", "default", "a")] == [5, 3, 1]
    assert list(ring.of("pods", "other", "a")) == []


def test_the_oldest_writes_are_forgotten() -> None:
    """A full ring holds its capacity and no more."""
    ring = WriteRing(capacity=3)
    for revision in range(1, 8):
        ring.add(write("a" if revision % 2 else "b", revision))
    assert [record.revision for record in ring.recent()] == [7, 6, 5]
    assert [record.revision for record in ring.of("pods", "default", "a")] == [7, 5]
    assert len(ring) == 3


@given(st.lists(st.sampled_from("abcd")), st.integers(1, 6))
def test_the_ring_agrees_with_a_list(names: list[str], capacity: int) -> None:
    """Whatever is written, the ring knows exactly the last writes, and its index holds nothing else."""
    ring = WriteRing(capacity=capacity)
    for revision, name in enumerate(names, start=1):
        ring.add(write(name, revision))
    held = list(enumerate(names, start=1))[-capacity:][::-1]
    for wanted in "abcd":
        assert [record.revision for record in ring.of("pods", "default", wanted)] == [
            revision for revision, name in held if name == wanted
        ]
    assert set(ring._latest) == {("pods", "default", name) for _, name in held}
