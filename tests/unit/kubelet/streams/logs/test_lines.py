"""Lines of CRI's log files."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubewire.kubelet.streams.logs.lines import LineFilter, Wanted, ends_line, moment_of, sortable

LOG = (
    b"2026-11-23T09:00:00.1Z stdout F first\n"
    b"2026-11-23T09:00:01.123456789Z stderr F an error\n"
    b"2026-11-23T09:00:02Z stdout P half of \n"
    b"2026-11-23T09:00:02.000000001Z stdout F a line\n"
    b"2026-11-23T09:00:03Z stdout F \n"
    b"2026-11-23T09:00:04Z stdout F  spaces  kept \n"
)


def shown(wanted: Wanted, log: bytes = LOG) -> bytes:
    """What a reader is shown of a log."""
    return LineFilter(wanted).feed(log)


def test_lines_are_shown_as_the_container_wrote_them() -> None:
    """Parts of a line are joined, both streams are shown, empty lines and spaces are kept."""
    assert shown(Wanted()) == b"first\nan error\nhalf of a line\n\n spaces  kept \n"


@given(st.lists(st.integers(1, 60), max_size=12))
def test_it_does_not_matter_how_the_file_is_cut(sizes: list[int]) -> None:
    """Pieces of any size show the same; what is not a whole line yet is kept."""
    lines, log, found = LineFilter(Wanted(timestamps=True)), LOG, b""
    for size in (*sizes, len(LOG)):
        found += lines.feed(log[:size])
        log = log[size:]
    assert found == shown(Wanted(timestamps=True))


def test_timestamps_stand_before_whole_lines() -> None:
    """A line that was cut by the runtime has one timestamp, that of its beginning."""
    text = shown(Wanted(timestamps=True)).decode().splitlines()
    assert text[0] == "2026-11-23T09:00:00.1Z first"
    assert text[2] == "2026-11-23T09:00:02Z half of a line"


def test_one_stream_can_be_asked_for() -> None:
    """Errors without output, and the other way round."""
    assert shown(Wanted(stream="Stderr")) == b"an error\n"
    assert b"an error" not in shown(Wanted(stream="Stdout"))


def test_what_was_written_before_is_left_out() -> None:
    """A moment counts to the nanosecond, whether or not zeros at its end are written."""
    since = sortable(1795424402, 0)
    assert since == b"2026-11-23T09:00:02.000000000Z"
    assert shown(Wanted(since=since)) == b"half of a line\n\n spaces  kept \n"
    assert shown(Wanted(since=sortable(1795424403, 1))) == b" spaces  kept \n"


@pytest.mark.parametrize("limit", [0, 1, 7, 20, 1000])
def test_the_limit_counts_what_is_shown(limit: int) -> None:
    """No more bytes than were asked for, and it is known when that is reached."""
    lines = LineFilter(Wanted(limit_bytes=limit))
    everything = shown(Wanted())
    assert lines.feed(LOG) == everything[:limit]
    assert lines.is_full() is (limit <= len(everything))


def test_moments_of_other_zones_are_compared_in_utc() -> None:
    """A runtime may write local time."""
    assert moment_of(b"2026-11-23T10:00:00.5+01:00 stdout F x") == b"2026-11-23T09:00:00.500000000Z"


@pytest.mark.parametrize("line", [b"", b"nonsense", b"2026-99-99T00:00:00+01:00 stdout F x"])
def test_lines_without_a_moment_have_none(line: bytes) -> None:
    """What says no time sorts before everything."""
    assert moment_of(line) == b""


def test_lines_of_another_format_are_left_out() -> None:
    """Half a line that a crash left, or another program's, shows as nothing."""
    assert shown(Wanted(), b"garbage\n2026-11-23T09:00:00Z stdout F ok\n") == b"ok\n"


def test_partial_lines_do_not_end_lines() -> None:
    """What counts lines counts whole ones."""
    assert [ends_line(line) for line in LOG.splitlines()] == [True, True, False, True, True, True]
