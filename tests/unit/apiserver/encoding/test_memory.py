"""Derived forms are kept within a bound, and those of older versions make room for newer ones."""

from kubewire.apiserver.encoding.memory import FormMemory
from tests.unit.apiserver.encoding.samples import config_map


def test_the_oldest_forms_are_forgotten_first() -> None:
    """Beyond the bound, items lose their forms in the order in which they got them."""
    memory = FormMemory(limit_bytes=3000)
    items = [config_map(f"c{number}") for number in range(4)]
    for item in items:
        assert memory.keep(item, "json", b"x" * 500) == b"x" * 500
    assert [item.forms is not None for item in items] == [False, True, True, True]
    assert memory.size_bytes <= 3000


def test_forms_of_one_item_count_together() -> None:
    """A second form of an item is kept beside the first."""
    memory = FormMemory()
    item = config_map("a")
    memory.keep(item, "json", b"x" * 100)
    memory.keep(item, "row", b"y" * 100)
    assert item.forms == {"json": b"x" * 100, "row": b"y" * 100}
    assert memory.size_bytes >= 200


def test_a_newer_version_replaces_an_older_one() -> None:
    """What is kept of an object does not grow with the number of its versions."""
    memory = FormMemory()
    first = config_map("a", 1)
    memory.keep(first, "json", b"x" * 100)
    size = memory.size_bytes
    second = config_map("a", 2)
    memory.keep(second, "json", b"x" * 100)
    assert memory.size_bytes == size
    assert first.forms is None
    assert second.forms is not None


def test_a_form_larger_than_the_bound_is_not_kept() -> None:
    """It is still handed back."""
    memory = FormMemory(limit_bytes=100)
    item = config_map("a")
    assert memory.keep(item, "json", b"x" * 500) == b"x" * 500
    assert item.forms is None
    assert memory.size_bytes == 0
