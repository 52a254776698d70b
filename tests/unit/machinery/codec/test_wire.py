"""Protobuf's wire format by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubewire.api.meta.v1.object_meta_pb2 import ObjectMeta, OwnerReference
from kubewire.machinery.codec.wire import IrregularWire, read_entry, read_int, read_length, read_varint, scan
from kubewire.machinery.wire import field, varint


@given(st.integers(0, 2**64 - 1))
def test_numbers_survive(value: int) -> None:
    """What is written is read, up to 64 bits."""
    assert read_varint(varint(value), 0) == (value, len(varint(value)))


@given(st.integers(-(2**63), 2**63 - 1))
def test_signed_numbers_are_read_as_protobuf_writes_them(value: int) -> None:
    """A negative one takes ten bytes."""
    data = ObjectMeta(generation=value).SerializeToString()
    if data[1] > 127:
        assert read_int(data, 2, data[1]) == (value, len(data))


def test_a_length_is_never_longer_than_the_data() -> None:
    """So that nobody walks backwards or far away."""
    assert read_length(b"\x81\x01" + b"x" * 200, 1, 0x81) == (129, 2)
    with pytest.raises(IrregularWire):
        read_length(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 1, 0xFF)


@pytest.mark.parametrize("data", [b"\x80" * 11, b"\xff" * 20])
def test_endless_numbers_are_irregular(data: bytes) -> None:
    """A number ends within ten bytes."""
    with pytest.raises(IrregularWire):
        read_varint(data, 0)


@given(st.text(max_size=200), st.text(max_size=200))
def test_map_entries_are_found(key: str, value: str) -> None:
    """Key and value as protobuf writes them."""
    data = field(1, key.encode()) + field(2, value.encode())
    key_begin, key_end, value_begin, value_end = read_entry(data, 0, len(data))
    assert (data[key_begin:key_end], data[value_begin:value_end]) == (key.encode(), value.encode())


def test_map_entries_may_lack_parts() -> None:
    """A missing key or value is empty; anything else is irregular."""
    assert read_entry(b"", 0, 0) == (0, 0, 0, 0)
    assert read_entry(b"\x0a\x01a", 0, 3) == (2, 3, 3, 3)
    assert read_entry(b"\x12\x01b", 0, 3)[2:] == (2, 3)
    for data in (b"\x12\x01b\x0a\x01a", b"\x18\x01", b"\x0a\x09a"):
        with pytest.raises(IrregularWire):
            read_entry(data, 0, len(data))


def test_small_messages_are_scanned() -> None:
    """Every field by number, in the order of its values."""
    message = OwnerReference(kind="a", name="b", controller=True)
    assert scan(message.SerializeToString()) == {1: [b"a"], 3: [b"b"], 6: [1]}
    assert scan(b"\x0d1234\x111234567\x00\x08\x01\x08\x02") == {1: [b"1234", 1, 2], 2: [b"1234567\x00"]}
    for data in (b"\x0a\x05a", b"\x0b", b"\x08", b"\x0a\xff"):
        with pytest.raises(IrregularWire):
            scan(data)
