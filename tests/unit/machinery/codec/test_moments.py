"""Times as text and as numbers."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubewire.machinery.codec.errors import WrongValue
from kubewire.machinery.codec.moments import (
    ZERO_SECONDS,
    format_micro_time,
    format_seconds,
    format_time,
    parse_micro_time,
    parse_time,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@given(st.datetimes(min_value=datetime(1, 1, 1), max_value=datetime(9999, 12, 31)))  # noqa: DTZ001 - UTC is added below
def test_texts_are_those_of_the_calendar(moment: datetime) -> None:
    """Formatting and parsing agree with Python's calendar wherever it has one."""
    moment = moment.replace(tzinfo=UTC)
    seconds = (moment.replace(microsecond=0) - EPOCH) // timedelta(seconds=1)
    text = moment.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
    assert format_time(seconds) == f"{text}Z"
    assert format_micro_time(seconds, moment.microsecond * 1000) == f"{text}.{moment.microsecond:06d}Z"
    assert parse_time(f"{text}Z") == (seconds, 0)
    assert parse_micro_time(f"{text}.{moment.microsecond:06d}Z") == (seconds, moment.microsecond * 1000)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (ZERO_SECONDS, "0001-01-01T00:00:00"),
        (-62167219200, "0000-01-01T00:00:00"),
        (-62167219201, "-0001-12-31T23:59:59"),
        (253402300800, "10000-01-01T00:00:00"),
    ],
)
def test_no_number_of_seconds_is_too_large(seconds: int, text: str) -> None:
    """Years that Python's calendar does not know have texts, too."""
    assert format_seconds(seconds) == text


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T01:00:00+01:00", 0),
        ("1969-12-31T19:30:00-04:30", 0),
        ("1970-01-01T00:00:01.999999999Z", 1),
        ("1970-01-01T0:00:00Z", 0),
        ("2024-02-29T00:00:00Z", 1709164800),
    ],
)
def test_zones_and_fractions_are_read(text: str, seconds: int) -> None:
    """A time is its second in UTC."""
    assert parse_time(text) == (seconds, 0)


LAYOUT = '"2006-01-02T15:04:05Z07:00"'
BAD = {
    "": f'parsing time "" as {LAYOUT}: cannot parse "" as "2006"',
    "yesterday": f'parsing time "yesterday" as {LAYOUT}: cannot parse "yesterday" as "2006"',
    "2020-01-01": f'parsing time "2020-01-01" as {LAYOUT}: cannot parse "" as "T"',
    "2020-01-01T00:00:00": f'parsing time "2020-01-01T00:00:00" as {LAYOUT}: cannot parse "" as "Z07:00"',
    "2020-13-01T00:00:00Z": 'parsing time "2020-13-01T00:00:00Z": month out of range',
    "2021-02-29T00:00:00Z": 'parsing time "2021-02-29T00:00:00Z": day out of range',
    "2020-01-01T24:00:00Z": 'parsing time "2020-01-01T24:00:00Z": hour out of range',
    "2020-01-01T00:00:00Z!": 'parsing time "2020-01-01T00:00:00Z!": extra text: "!"',
}


@pytest.mark.parametrize(("text", "message"), BAD.items())
def test_bad_times_are_refused_in_gos_words(text: str, message: str) -> None:
    """The message says which part of the layout does not fit."""
    with pytest.raises(WrongValue) as caught:
        parse_time(text)
    assert str(caught.value) == message


def test_micro_times_need_six_digits() -> None:
    """Go's layout with zeros fixes the number of digits."""
    with pytest.raises(WrongValue, match=r'cannot parse "Z" as ".000000"'):
        parse_micro_time("2020-01-01T00:00:00Z")
    with pytest.raises(WrongValue, match=r'cannot parse ".1234567Z" as ".000000"'):
        parse_micro_time("2020-01-01T00:00:00.1234567Z")
