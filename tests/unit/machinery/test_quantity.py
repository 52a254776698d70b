"""Quantities are exact, and print as Kubernetes prints them."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubewire.machinery.quantity import (
    ZERO,
    Format,
    Quantity,
    QuantityError,
    canonical,
    milli_value_of,
    parse,
    value_of,
)

CANONICAL = {
    "0": "0",
    "0Mi": "0",
    "100m": "100m",
    "1000m": "1",
    "1.5": "1500m",
    "0.5": "500m",
    ".5": "500m",
    "1024Ki": "1Mi",
    "1025Ki": "1025Ki",
    "1024": "1024",
    "1000": "1k",
    "100000": "100k",
    "1500": "1500",
    "0.5Gi": "512Mi",
    "1.5Gi": "1536Mi",
    "-1.5Gi": "-1536Mi",
    "1.1Gi": "1181116006400m",
    "0.1Ki": "102400m",
    "512Ki": "512Ki",
    "129M": "129M",
    "129e6": "129e6",
    "1e3": "1e3",
    "1000e3": "1e6",
    "1E": "1E",
    "1E3": "1E3",
    "1e-3": "1e-3",
    "1n": "1n",
    "0.1n": "1n",
    "-0.1n": "-1n",
    "1.0000000001": "1000000001n",
    "1000E": "1e21",
    "123456789012345678901234567890": "123456789012345678901234567890",
    "9223372036854775808Ei": "9223372036854775807",
    "m": "0",
    "-": "0",
}
"""Text, and how it is stored: factors go into the suffix, fractions out of the mantissa."""

KEPT_AS_WRITTEN = ["1.500", "+5", "05", "1."]
"""Kubernetes reuses short texts that look canonical to it without being so; stored bytes show it."""


@pytest.mark.parametrize(("text", "expected"), CANONICAL.items())
def test_canonical_form(text: str, expected: str) -> None:
    """A quantity prints in the form a Kubernetes API server stores."""
    assert canonical(text) == expected


@pytest.mark.parametrize("text", KEPT_AS_WRITTEN)
def test_short_texts_are_kept(text: str) -> None:
    """A short decimal that needs no other suffix keeps the user's spelling."""
    assert canonical(text) == text


@pytest.mark.parametrize("text", ["", "abc", "1 ", " 1", "1..2", "1e3m", "1,5", "½", "٣", "1\n"])
def test_text_of_the_wrong_format(text: str) -> None:
    """What does not match the grammar is refused with the grammar in the message."""
    with pytest.raises(QuantityError, match="must match the regular expression"):
        parse(text)


@pytest.mark.parametrize("text", ["1i", "1e", "1e-", "1m5", "1Kik", "1ki", "--1", "1mm", "1e1001", "1e-99999999999"])
def test_unknown_suffix(text: str) -> None:
    """A suffix nobody knows, or an exponent nobody needs, is refused."""
    with pytest.raises(QuantityError, match="unable to parse quantity's suffix"):
        parse(text)


@pytest.mark.parametrize("text", ["Ei", "-Pi", "9" * 1001])
def test_unreadable_number(text: str) -> None:
    """A missing number before a large suffix, or one of thousands of digits, is refused."""
    with pytest.raises(QuantityError, match="numeric part"):
        parse(text)


def test_values_round_away_from_zero() -> None:
    """Whoever asks for a fraction of a unit gets the whole unit."""
    assert (value_of("100m"), value_of("1001m"), value_of("-1m")) == (1, 2, -1)
    assert (milli_value_of("1n"), milli_value_of("2"), milli_value_of("1Ki")) == (1, 2000, 1024000)


def test_round_up_to_milli() -> None:
    """Defaulting rounds resource amounts up to thousandths and leaves coarser ones untouched."""
    assert str(parse("0.0001").round_up(-3)) == "1m"
    exact = parse("1.500")
    assert exact.round_up(-3) is exact


def test_sum_takes_the_notation_of_the_first() -> None:
    """A sum prints in the first addend's notation, and in the second's when the first is zero."""
    assert str(parse("1Gi") + parse("1025M")) == "2098741824"
    assert str(parse("1Gi") + parse("1Gi")) == "2Gi"
    assert str(ZERO + parse("3Mi")) == "3Mi"
    assert str(parse("1Gi") - parse("512Mi")) == "512Mi"


def test_extremes_stay_small() -> None:
    """The largest accepted exponents can be compared, added, converted and printed."""
    large, small = parse("1e1000"), parse("1e-1000")
    assert small == parse("1n")
    assert large > small
    assert len(str(large + small)) > 1000
    assert float(large) == float("inf")


def test_equal_amounts_hash_alike() -> None:
    """Notation and spelling play no part in equality."""
    assert len({parse("1"), parse("1000m"), parse("1e0"), parse("1.0")}) == 1
    assert parse("1Ki") == parse("1024")
    assert parse("1Ki") != "1Ki"


NUMBERS = st.from_regex(r"[+-]?([0-9]{1,25})(\.[0-9]{0,12})?", fullmatch=True)
SUFFIXES = st.sampled_from(["", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "e3", "E-5"])
FACTORS = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18, "e3": 3, "E-5": -5}


def exact(number: str, suffix: str) -> Fraction:
    """The amount by the textbook, before any rounding."""
    amount = Fraction(number.lstrip("+").rstrip("."))
    if suffix in FACTORS:
        return amount * Fraction(10) ** FACTORS[suffix]
    return amount * Fraction(1024) ** (["", "Ki", "Mi", "Gi", "Ti", "Pi"].index(suffix))


def fraction_of(quantity: Quantity) -> Fraction:
    """A quantity's exact amount."""
    return Fraction(quantity.unscaled) * Fraction(10) ** quantity.scale


@given(NUMBERS, SUFFIXES)
def test_parsing_is_exact_to_the_nano(number: str, suffix: str) -> None:
    """A parsed amount is the written one, rounded away from zero to a billionth at most."""
    wanted = exact(number, suffix)
    got = fraction_of(parse(number + suffix))
    if suffix.endswith("i") and abs(wanted) > 2**63 - 1:
        assert abs(got) == 2**63 - 1
    else:
        assert 0 <= abs(got) - abs(wanted) < Fraction(1, 10**9)


@given(NUMBERS, SUFFIXES)
def test_canonical_form_keeps_the_amount(number: str, suffix: str) -> None:
    """Printing and parsing again gives the same amount and the same text."""
    quantity = parse(number + suffix)
    again = parse(str(quantity))
    assert again == quantity
    assert hash(again) == hash(quantity)
    assert str(again) == str(quantity)


@given(NUMBERS, SUFFIXES, NUMBERS, SUFFIXES)
def test_arithmetic_agrees_with_fractions(left: str, left_suffix: str, right: str, right_suffix: str) -> None:
    """Order, sum and difference are those of the exact amounts."""
    a, b = parse(left + left_suffix), parse(right + right_suffix)
    assert (a < b, a == b) == (fraction_of(a) < fraction_of(b), fraction_of(a) == fraction_of(b))
    assert fraction_of(a + b) == fraction_of(a) + fraction_of(b)
    assert fraction_of(a - b) == fraction_of(a) - fraction_of(b)


@given(st.text(max_size=12))
def test_any_text_parses_or_is_refused(text: str) -> None:
    """No text makes anything but a quantity or a QuantityError."""
    try:
        quantity = parse(text)
    except QuantityError:
        return
    assert quantity.format in Format
    assert parse(str(quantity)) == quantity
