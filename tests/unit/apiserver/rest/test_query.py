"""Query parameters follow Go's rules."""

import pytest

from kubewire.apiserver.rest.query import flag, integer, optional_flag, optional_integer, parse_query
from kubewire.machinery.errors import StatusError


def test_the_first_of_repeated_parameters_counts() -> None:
    """Names and values are unescaped; of repeated names the first wins; empty parts are skipped."""
    assert parse_query("a=1&a=2&&b%20c=d+e%26&f&=x") == {"a": "1", "b c": "d e&", "f": ""}


def test_flags() -> None:
    """Only absence, `false` and `0` are false."""
    assert not any(flag(parse_query(text), "w") for text in ("", "w=false", "w=0"))
    assert all(flag(parse_query(text), "w") for text in ("w", "w=", "w=true", "w=1", "w=no"))


def test_optional_flags_know_absence() -> None:
    """An absent flag is None, neither true nor false."""
    assert optional_flag({}, "w") is None
    assert optional_flag({"w": "0"}, "w") is False


@pytest.mark.parametrize(("text", "expected"), [("7", 7), ("-7", -7), ("+7", 7), (str(2**63 - 1), 2**63 - 1)])
def test_integers(text: str, expected: int) -> None:
    """Signed decimal numbers of 64 bits are read."""
    assert integer({"limit": text}, "limit") == expected


@pytest.mark.parametrize("text", ["x", "1.5", "0x10", " 1", "٣", str(2**63), "9" * 5000, "-"])
def test_malformed_integers_are_bad_requests(text: str) -> None:
    """What is no 64-bit number is a 400 that repeats it."""
    with pytest.raises(StatusError, match=r"^strconv\.ParseInt: parsing ") as raised:
        integer({"limit": text}, "limit")
    assert raised.value.code == 400


def test_absent_integers() -> None:
    """Absent and empty are None, or 0."""
    assert optional_integer({}, "limit") is None
    assert optional_integer({"limit": ""}, "limit") is None
    assert integer({}, "limit") == 0
