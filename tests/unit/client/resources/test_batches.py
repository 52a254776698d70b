"""Batches are cut into calls a server takes."""

from kubewire.client.resources.batches import BYTES_AT_MOST, OBJECTS_AT_MOST, chunks


def test_small_batches_stay_whole() -> None:
    """Nothing makes no call, a few objects one."""
    assert list(chunks([])) == []
    assert list(chunks([b"a", b"b"])) == [[b"a", b"b"]]


def test_no_call_has_too_many_objects() -> None:
    """2,500 objects are three calls, in order."""
    items = [str(number).encode() for number in range(2 * OBJECTS_AT_MOST + 500)]
    parts = list(chunks(items))
    assert [len(part) for part in parts] == [OBJECTS_AT_MOST, OBJECTS_AT_MOST, 500]
    assert [item for part in parts for item in part] == items


def test_no_call_has_too_many_bytes() -> None:
    """Large objects are spread; one over the limit goes alone, for the server to refuse."""
    large = bytes(BYTES_AT_MOST // 2)
    assert [len(part) for part in chunks([large, large, large])] == [2, 1]
    huge = bytes(BYTES_AT_MOST + 1)
    assert [len(part) for part in chunks([b"a", huge, b"b"])] == [1, 1, 1]
