"""Tokens: the one given, or a file's present one."""

from pathlib import Path

import pytest

from kubewire.client.transport.tokens import REREAD_SECONDS, FileToken, static_token


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_static_token_stays() -> None:
    """It is what was given."""
    assert static_token("t")() == "t"


def test_a_files_token_is_read_again(tmp_path: Path) -> None:
    """After a minute, since such tokens are renewed in place; not at every call."""
    file, clock = tmp_path / "token", Clock()
    file.write_text("one\n")
    token = FileToken(file, clock)
    file.write_text("two")
    clock.now = REREAD_SECONDS - 1
    assert token() == "one"
    clock.now = REREAD_SECONDS
    assert token() == "two"


def test_a_file_that_vanishes_keeps_its_token(tmp_path: Path) -> None:
    """While it is replaced there may be none; without a first one there is nothing to go on with."""
    file, clock = tmp_path / "token", Clock()
    with pytest.raises(FileNotFoundError):
        FileToken(file, clock)
    file.write_text("one")
    token = FileToken(file, clock)
    file.unlink()
    clock.now = REREAD_SECONDS
    assert token() == "one"
