"""Attributes as bytes and back."""

import pytest

from kubewire.kube_proxy.netlink import attributes


@pytest.mark.parametrize("value", [b"", b"a", b"abc", b"abcd", bytes(100)])
def test_there_and_back(value: bytes) -> None:
    """Values of any length come back; what follows begins at a multiple of four."""
    data = attributes.attribute(3, value) + attributes.nested(4, attributes.be32(1, 7))
    found = attributes.parse(data)
    assert len(data) % 4 == 0
    assert found[3] == value
    assert attributes.be32_of(attributes.parse(found[4])[1]) == 7


def test_numbers_and_texts() -> None:
    """Numbers are in network order, texts end with a zero."""
    assert attributes.parse(attributes.be16(1, 80)) == {1: b"\0\x50"}
    assert attributes.signed_be32_of(attributes.parse(attributes.be32(1, -4))[1]) == -4
    assert attributes.parse(attributes.be64(1, 1))[1] == bytes(7) + b"\1"
    assert attributes.text_of(attributes.parse(attributes.text(1, "name"))[1]) == "name"
    assert attributes.be16_of(b"\0\x50") == 80


def test_what_is_cut_off() -> None:
    """Bytes that are no attributes end the list, and never loop."""
    whole = attributes.be32(1, 7)
    assert list(attributes.iterate(whole + b"\1\0\1\0")) == [(1, bytes([0, 0, 0, 7]))]
    assert list(attributes.iterate(whole + b"\0\0")) == [(1, bytes([0, 0, 0, 7]))]
