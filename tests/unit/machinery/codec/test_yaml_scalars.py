"""Plain text in YAML."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubewire.machinery.codec.yaml_scalars import needs_quotes, resolve
from kubewire.machinery.json_value import JsonValue

VALUES: dict[str, JsonValue] = {
    "": None,
    "~": None,
    "Null": None,
    "yes": True,
    "y": True,
    "On": True,
    "NO": False,
    "off": False,
    "yEs": "yEs",
    "0": 0,
    "-12": -12,
    "+7": 7,
    "1_000": 1000,
    "0777": 511,
    "0o17": 15,
    "0x1F": 31,
    "-0b101": -5,
    "08": 8,
    "1.5": 1.5,
    ".5": 0.5,
    "2.0": 2,
    "1e3": 1000,
    "1e30": 1e30,
    "12:30": "12:30",
    "2020-01-01": "2020-01-01",
    "1.2.3": "1.2.3",
    "0x": "0x",
    "-": "-",
    "1Gi": "1Gi",
    "100m": "100m",
    "=": "=",
}


@pytest.mark.parametrize(("text", "value"), VALUES.items())
def test_plain_texts_are_what_kubectl_takes_them_for(text: str, value: JsonValue) -> None:
    """YAML 1.1 without timestamps and without base 60; whole floats are integers, as after a trip through JSON."""
    found = resolve(text)
    assert found == value
    assert type(found) is type(value)


@given(st.text(max_size=8) | st.from_regex(r"[-+.0-9eExo_:T]{1,8}", fullmatch=True))
def test_strings_without_quotes_stay_strings(text: str) -> None:
    """What needs no quotes is read as itself."""
    assert needs_quotes(text) or resolve(text) == text


def test_strings_that_others_read_differently_are_quoted_too() -> None:
    """Times of day and dates."""
    assert all(map(needs_quotes, ("12:30", "2020-01-01", "2020-01-01T00:00:00Z", "<<", "")))
    assert not any(map(needs_quotes, ("1.2.3", "a", "100m", "v1")))
