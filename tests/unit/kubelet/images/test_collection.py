"""Which images go when the disk is full."""

import pytest

from kubewire.kubelet.images.collection import Disk, Known, Marks, bytes_to_free, is_removable, plan
from kubewire.kubelet.runtime.contracts import Image

MARKS = Marks(high_percent=85, low_percent=80, minimum_age_seconds=120)


def image(name: str, size: int = 10, *, pinned: bool = False) -> Image:
    """An image that was pulled."""
    return Image(f"id-{name}", (f"{name}:1",), (f"{name}@sha256:1",), size, pinned=pinned)


def known(in_use: set[str] | None = None, **used_at: float) -> Known:
    """Nothing is in use unless said; what is not said was used long ago."""
    ages = {f"id-{name}": at for name, at in used_at.items()}
    return Known(in_use or set(), ages, 1000.0)


@pytest.mark.parametrize(("free", "wanted"), [(50, 0), (16, 0), (15, 5), (10, 10), (0, 20)])
def test_how_much_has_to_go(free: int, wanted: int) -> None:
    """Nothing below the high mark, and from there down to the low one."""
    assert bytes_to_free(Disk(100, free), MARKS) == wanted


def test_a_disk_that_is_none() -> None:
    """Nothing goes."""
    assert bytes_to_free(Disk(0, 0), MARKS) == 0


def test_the_longest_unused_go_first_and_no_more_than_needed() -> None:
    """What was used last stays longest."""
    images = [image("b"), image("a"), image("c"), image("d")]
    decided = plan(images, known(a=1, b=2, c=3, d=4), MARKS, 15)
    assert [one.id for one in decided.remove] == ["id-a", "id-b"]
    assert decided.missing_bytes == 0


def test_too_few_are_unused() -> None:
    """It is told how much is missing."""
    decided = plan([image("a"), image("b")], known({"b:1"}, a=1, b=2), MARKS, 15)
    assert [one.id for one in decided.remove] == ["id-a"]
    assert decided.missing_bytes == 5


@pytest.mark.parametrize("name", ["id-a", "a:1", "a@sha256:1"])
def test_what_containers_have_stays(name: str) -> None:
    """By whatever name they call it."""
    assert not is_removable(image("a"), known({name}, a=1), MARKS)
    assert is_removable(image("a"), known({"other"}, a=1), MARKS)


def test_young_and_pinned_ones_stay() -> None:
    """What was used a moment ago, what nobody has seen before, and what the runtime holds on to."""
    assert not is_removable(image("a"), known(a=881), MARKS)
    assert is_removable(image("a"), known(a=880), MARKS)
    assert not is_removable(image("a"), known(), MARKS)
    assert not is_removable(image("a", pinned=True), known(a=1), MARKS)


def test_what_was_imported_by_hand_stays() -> None:
    """Nobody could fetch it again."""
    assert not is_removable(Image("id-a", ("a:1",), (), 10), known(a=1), MARKS)
