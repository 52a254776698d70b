"""What became of a write whose answer was lost."""

from kubewire.apiserver.storage.store import Change
from kubewire.apiserver.storage.verdict import Verdict, judge


def first(value: bytes | None) -> Change:
    """The first change after the guard's revision."""
    return Change(b"k", value, 9, None, 3 if value else 0)


def test_our_value() -> None:
    """If the first write after the guard's revision has our bytes, ours was done."""
    assert judge(b"ours", first(b"ours")) is Verdict.DONE


def test_another_value() -> None:
    """If it has others, ours was not done and never will be: its guard can not hold again."""
    assert judge(b"ours", first(b"theirs")) is Verdict.NOT_DONE
    assert judge(b"ours", first(None)) is Verdict.NOT_DONE
    assert judge(None, first(b"theirs")) is Verdict.NOT_DONE


def test_a_deletion_has_no_author() -> None:
    """Two deletions at one revision look alike, so ours cannot be told from another's."""
    assert judge(None, first(None)) is Verdict.NOT_PROVABLE
