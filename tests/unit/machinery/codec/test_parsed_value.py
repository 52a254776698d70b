"""Single values that are no objects."""

import pytest

from kubewire.machinery.codec.document import LongNumber, NumberText
from kubewire.machinery.codec.errors import WrongValue
from kubewire.machinery.codec.parsed_value import quantity_of, strings_of
from kubewire.machinery.json_value import JsonValue


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("100m", "100m"),
        (" 1.5Gi ", "1536Mi"),
        (3, "3"),
        (1.5, "1500m"),
        (NumberText("1e3"), "1e3"),
        (LongNumber(10**20), "100E"),
    ],
)
def test_amounts_are_strings_or_numbers(value: JsonValue, text: str) -> None:
    """In canonical form, from the text of a number if it is known."""
    assert quantity_of(value) == text


@pytest.mark.parametrize("value", [True, None, {}, [], "", "1 2", "1gi"])
def test_anything_else_is_no_amount(value: JsonValue) -> None:
    """Refused in Kubernetes' words."""
    with pytest.raises(WrongValue):
        quantity_of(value)


@pytest.mark.parametrize("value", ["ab", {}, [1], [None], None])
def test_lists_of_strings_hold_nothing_else(value: JsonValue) -> None:
    """A text is no list."""
    with pytest.raises(TypeError):
        strings_of(value)
    assert strings_of(["a", ""]) == ["a", ""]
