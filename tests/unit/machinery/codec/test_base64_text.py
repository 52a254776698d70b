"""Base64 as Go reads it."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubewire.machinery.codec.base64_text import _refuse_corrupt, decode_base64
from kubewire.machinery.codec.errors import WrongValue


@given(st.binary(max_size=30), st.integers(1, 5))
def test_what_was_encoded_is_read(data: bytes, width: int) -> None:
    """With and without line breaks."""
    text = b64encode(data).decode()
    lines = "\r\n".join(text[at : at + width] for at in range(0, len(text), width))
    assert decode_base64(text) == decode_base64(lines) == data


@given(st.text("ABQ=/+-\n", max_size=9))
def test_the_fast_way_accepts_nothing_that_go_refuses(text: str) -> None:
    """Whatever is decoded has no byte at which Go would stop."""
    try:
        decode_base64(text)
    except WrongValue:
        return
    _refuse_corrupt(text)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("a", 0),
        ("abc", 0),
        ("abcde", 4),
        ("!", 0),
        ("ab!d", 2),
        ("ab=", 3),
        ("a===", 1),
        ("ab==c", 4),
        ("abcd====", 4),
        ("äbcd", 0),
    ],
)
def test_corrupt_text_is_refused_where_go_stops(text: str, at: int) -> None:
    """The message names the byte."""
    with pytest.raises(WrongValue) as caught:
        decode_base64(text)
    assert str(caught.value) == f"illegal base64 data at input byte {at}"
