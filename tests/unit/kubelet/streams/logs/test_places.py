"""Finding where to begin in a log file."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubewire.kubelet.streams.logs import places
from kubewire.kubelet.streams.logs.lines import LineFilter, Wanted, sortable
from kubewire.kubelet.streams.logs.places import place_of_tail, place_of_time

START = 1795424400


@contextmanager
def opened(path: Path, data: bytes) -> Iterator[int]:
    """A file with data, as a descriptor."""
    path.write_bytes(data)
    file = os.open(path, os.O_RDONLY)
    try:
        yield file
    finally:
        os.close(file)


def log_of(texts: list[tuple[str, str]]) -> bytes:
    """Lines, a second apart, each with its tag and text."""
    return b"".join(
        sortable(START + second, 0) + f" stdout {tag} {text}\n".encode() for second, (tag, text) in enumerate(texts)
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A place for files that examples write one after the other."""
    return tmp_path_factory.mktemp("logs")


@given(
    st.lists(st.tuples(st.sampled_from("FFFP"), st.text("ab", max_size=40)), max_size=40),
    st.integers(0, 45),
    st.integers(1, 300),
)
@settings(deadline=None)
def test_the_tail_is_what_reading_everything_finds(
    folder: Path, texts: list[tuple[str, str]], lines: int, block: int
) -> None:
    """Whatever the block, the last lines are the last lines, parts joined."""
    texts.append(("F", "end"))
    log = log_of(texts)
    everything = LineFilter(Wanted()).feed(log).splitlines(keepends=True)
    wanted = everything[-lines:] if lines else []
    with opened(folder / "log", log) as file, pytest.MonkeyPatch.context() as patch:
        patch.setattr(places, "BLOCK_BYTES", block)
        place = place_of_tail(file, len(log), lines)
    assert LineFilter(Wanted()).feed(log[place:]).splitlines(keepends=True) == wanted


def test_the_tail_of_an_empty_file_is_empty(folder: Path) -> None:
    """Nothing is there to be found."""
    with opened(folder / "log", b"") as file:
        assert place_of_tail(file, 0, 10) == 0


@given(st.integers(0, 60), st.integers(1, 200), st.integers(-5, 70))
@settings(deadline=None)
def test_nothing_of_the_time_stands_before_the_place(folder: Path, count: int, block: int, second: int) -> None:
    """All that was written since is found from there on, and the place is a line's beginning."""
    log, since = log_of([("F", f"line {number}") for number in range(count)]), sortable(START + second, 0)
    with opened(folder / "log", log) as file, pytest.MonkeyPatch.context() as patch:
        patch.setattr(places, "BLOCK_BYTES", block)
        place = place_of_time(file, len(log), since)
    assert place == 0 or log[place - 1 : place] == b"\n"
    assert LineFilter(Wanted(since=since)).feed(log[place:]) == LineFilter(Wanted(since=since)).feed(log)


def test_huge_files_are_not_read(folder: Path) -> None:
    """The last lines, and those since a time, are found with a few reads of a file of many megabytes."""
    log = log_of([("F", "x" * 1000) for _ in range(20_000)])
    reads = []

    def counted(*arguments: int) -> bytes:
        reads.append(arguments)
        return pread(*arguments)

    pread = os.pread
    with opened(folder / "log", log) as file, pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "pread", counted)
        assert len(log) - place_of_tail(file, len(log), 10) < 11_000
        assert len(log) - place_of_time(file, len(log), sortable(START + 19_990, 0)) < 200_000
    assert len(reads) < 60
