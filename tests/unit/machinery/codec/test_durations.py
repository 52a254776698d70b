"""Durations in Go's notation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubewire.machinery.codec.durations import format_duration, parse_duration
from kubewire.machinery.codec.errors import WrongValue

TEXTS = {
    0: "0s",
    1: "1ns",
    1500: "1.5µs",
    2_000_000: "2ms",
    1_000_000_000: "1s",
    90_000_000_000: "1m30s",
    3_600_000_000_000: "1h0m0s",
    -1_500_000_000: "-1.5s",
    2**63 - 1: "2562047h47m16.854775807s",
}


@pytest.mark.parametrize(("nanos", "text"), TEXTS.items())
def test_texts_are_gos(nanos: int, text: str) -> None:
    """Known numbers have known texts, both ways."""
    assert format_duration(nanos) == text
    assert parse_duration(text) == nanos


@given(st.integers(-(2**63), 2**63 - 1))
def test_every_duration_survives(nanos: int) -> None:
    """What is printed is read as the same number."""
    assert parse_duration(format_duration(nanos)) == nanos


def test_other_notations_are_read() -> None:
    """Units in any number and order, fractions, signs, a bare zero."""
    assert [parse_duration(text) for text in ("+1h", "60m", "1m1h", ".5s", "1.s", "-0", "2us", "2µs")] == [
        3_600_000_000_000,
        3_600_000_000_000,
        3_660_000_000_000,
        500_000_000,
        1_000_000_000,
        0,
        2000,
        2000,
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", 'time: invalid duration ""'),
        ("-", 'time: invalid duration "-"'),
        ("s", 'time: invalid duration "s"'),
        (".s", 'time: invalid duration ".s"'),
        ("5", 'time: missing unit in duration "5"'),
        ("5x", 'time: unknown unit "x" in duration "5x"'),
        ("9" * 70 + "h", f'time: invalid duration "{"9" * 70}h"'),
        ("3000000h", 'time: invalid duration "3000000h"'),
    ],
)
def test_bad_durations_are_refused_in_gos_words(text: str, message: str) -> None:
    """The message is that of Go's time package."""
    with pytest.raises(WrongValue) as caught:
        parse_duration(text)
    assert str(caught.value) == message
