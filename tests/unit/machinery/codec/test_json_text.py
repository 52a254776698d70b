"""Escapes in JSON strings."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubewire.machinery.codec.json_text import compact, escape, escape_html, is_plain


def latin(text: str) -> str:
    """Text as the codec handles it: one character per byte of UTF-8."""
    return text.encode().decode("latin-1")


@given(st.text(st.characters(codec="utf-8")))
def test_escaped_text_is_json(text: str) -> None:
    """What stands between the quotes is read as the text."""
    escaped = escape(latin(text)) or latin(text)
    assert json.loads(f'"{escaped}"'.encode("latin-1")) == text


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=5), max_size=5))
def test_plain_texts_need_no_escape(texts: list[str]) -> None:
    """Testing many at once never misses one."""
    if is_plain([latin(text) for text in texts]):
        assert [escape(latin(text)) for text in texts] == [None] * len(texts)


@pytest.mark.parametrize(
    ("text", "escaped"),
    [("\b\f\n\r\t", r"\b\f\n\r\t"), ("\x00\x1f", r"\u0000\u001f"), ("\x7f", "\x7f"), ("/", None), ('"\\', r"\"\\")],
)
def test_escapes_are_gos(text: str, escaped: str | None) -> None:
    """Short ones where JSON has them."""
    assert (escape(text) or text) == (escaped or text)


@pytest.mark.parametrize(
    ("data", "text"), [(b"a\xff\xfe", "a\ufffd\ufffd"), (b"\xe2\x80", "\ufffd\ufffd"), (b"\xc3\xa4", "ä")]
)
def test_bytes_that_are_no_utf8_are_replaced_one_by_one(data: bytes, text: str) -> None:
    """As Go does."""
    assert json.loads(f'"{escape(data.decode("latin-1"))}"'.encode("latin-1")) == text


def test_html_is_escaped_in_finished_text() -> None:
    """`<`, `>`, `&` and the two line separators that JavaScript breaks at."""
    assert escape_html('{"a<b":"&>"}') == r'{"a\u003cb":"\u0026\u003e"}'
    assert escape_html(latin('"\u2028\u2029\u2027"')) == r'"\u2028\u2029' + latin("\u2027") + '"'


def test_whitespace_between_tokens_is_removed() -> None:
    """Numbers, escapes and whitespace in strings stay."""
    assert compact('{ "a b" : [ 1.50 ,\n"\\u0041 \\" c" ],\t"d":{ } }\r\n') == '{"a b":[1.50,"\\u0041 \\" c"],"d":{}}'
