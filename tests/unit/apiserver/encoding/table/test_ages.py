"""Ages in the words of kubectl's users."""

import pytest

from kubewire.api.meta.v1.time_pb2 import Time
from kubewire.apiserver.encoding.table.ages import Age, human_duration, since

MINUTE, HOUR, DAY = 60, 3600, 86400


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-2, "<invalid>"),
        (-1, "0s"),
        (0, "0s"),
        (119, "119s"),
        (2 * MINUTE, "2m"),
        (3 * MINUTE + 5, "3m5s"),
        (10 * MINUTE + 5, "10m"),
        (3 * HOUR - 1, "179m"),
        (3 * HOUR, "3h"),
        (7 * HOUR + 59 * MINUTE, "7h59m"),
        (8 * HOUR + 59 * MINUTE, "8h"),
        (2 * DAY - 1, "47h"),
        (2 * DAY, "2d"),
        (7 * DAY + 3 * HOUR, "7d3h"),
        (8 * DAY + 3 * HOUR, "8d"),
        (730 * DAY - 1, "729d"),
        (730 * DAY, "2y"),
        (3 * 365 * DAY + 5 * DAY, "3y5d"),
        (9 * 365 * DAY + 5 * DAY, "9y"),
    ],
)
def test_durations_have_two_parts_at_most(seconds: int, text: str) -> None:
    """The longer ago, the coarser the unit."""
    assert human_duration(seconds) == text


def test_timestamps_that_are_not_set_are_unknown() -> None:
    """Absent and zero timestamps have no age."""
    assert since(None) == since(Time()) == "<unknown>"
    assert since(Time(seconds=5)) == Age(5)
