"""Running the system's tools."""

import pytest

from kubewire.cluster.errors import MissingProgram, StartFailed
from kubewire.cluster.nodes import programs


def test_system_folders_are_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    """An ordinary user's PATH is completed by the folders of system programs, after its own and without repeats."""
    monkeypatch.setenv("PATH", "/opt/own:/usr/bin")
    assert programs.search_path() == "/opt/own:/usr/bin:/usr/sbin:/sbin:/bin"


def test_missing_programs_name_their_package() -> None:
    """What is not installed is said with the package that brings it."""
    with pytest.raises(MissingProgram, match="apt-get install no-such-tool"):
        programs.find("no-such-tool")


def test_failures_tell_what_was_said() -> None:
    """A program that fails is told with its own words, and with no more of the command than can be read."""
    with pytest.raises(StartFailed) as raised:
        programs.run(["sh", "-c", "echo broken >&2; exit 3", *["argument"] * 100])
    text = str(raised.value)
    assert text.endswith("failed: broken")
    assert len(text) < 200
    assert programs.attempt(["sh", "-c", "exit 3"]).returncode == 3


def test_programs_read_what_they_are_given() -> None:
    """What is given arrives on standard input."""
    assert programs.run(["cat"], "given") == "given"
