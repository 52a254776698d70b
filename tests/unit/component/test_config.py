"""Settings from files, environment and flags."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from kubewire.component.config import load, setting
from kubewire.component.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Example:
    """An example for tests."""

    port: int = setting(6443, "Port of REST", minimum=0, maximum=65535)
    grace_seconds: float = setting(10.0, "How long calls may take to end, in seconds", minimum=0)
    insecure: bool = setting(False, "Also serve without TLS")
    servers: tuple[str, ...] = setting(("a:1",), "Servers, separated by commas", reason="one is enough to start")
    folder: Path | None = setting(None, "Folder of certificates")
    level: Literal["info", "debug"] = setting("info", "What is logged at least")


def read(*arguments: str, **environment: str) -> Example:
    """The configuration from these flags and variables."""
    return load(Example, "example", arguments, environment)


def test_nothing_given_is_the_default() -> None:
    """Every setting has a default."""
    assert read() == Example()


def test_flags_of_all_types() -> None:
    """Numbers, paths, choices, lists by commas or by repeating, and flags that need no value."""
    got = read("--port=1", "--grace-seconds", "2.5", "--insecure", "--servers=b:1,c:1", "--folder=/x", "--level=debug")
    assert got == Example(1, 2.5, True, ("b:1", "c:1"), Path("/x"), "debug")
    assert read("--servers", "b", "--servers", "c").servers == ("b", "c")
    assert read("--insecure=false", KUBEWIRE_EXAMPLE_INSECURE="true").insecure is False


def test_flags_win_over_environment_over_file(tmp_path: Path) -> None:
    """Each source overrides the ones before it, setting by setting."""
    file = tmp_path / "config.yaml"
    file.write_text("port: 1\ngrace_seconds: 1\nservers: [x, y]\n")
    got = read(
        "--port=3",
        KUBEWIRE_EXAMPLE_CONFIG=str(file),
        KUBEWIRE_EXAMPLE_PORT="2",
        KUBEWIRE_EXAMPLE_GRACE_SECONDS="2",
    )
    assert (got.port, got.grace_seconds, got.servers) == (3, 2.0, ("x", "y"))
    assert read("--config", str(file)).port == 1


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--port=x", "--port: want a whole number, got 'x'"),
        ("--port=70000", "--port: want 0 to 65535, got 70000"),
        ("--grace-seconds=-1", "--grace-seconds: want at least 0, got -1"),
        ("--grace-seconds=soon", "--grace-seconds: want a number, got 'soon'"),
        ("--insecure=maybe", "--insecure: want true or false, got 'maybe'"),
        ("--level=loud", "--level: want info or debug, got 'loud'"),
    ],
)
def test_wrong_flags_are_named(flag: str, message: str) -> None:
    """An error names the flag, what would be right, and what was given."""
    with pytest.raises(ConfigError) as caught:
        read(flag)
    assert str(caught.value) == message


def test_wrong_variables_are_named() -> None:
    """An error names the variable."""
    with pytest.raises(ConfigError, match="KUBEWIRE_EXAMPLE_PORT: want a whole number, got 'x'"):
        read(KUBEWIRE_EXAMPLE_PORT="x")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("port: yes", "port: want a whole number, got True"),
        ("level: [info]", "level: want info or debug, got ['info']"),
        ("folder: 5", "folder: want a text, got 5"),
        ("servers: [1]", "servers: want a text, got 1"),
        ("prot: 1", "prot: no such setting; there are port, grace_seconds"),
        ("[1]", "want settings by name, got list"),
        ("a: b: c", "cannot be read"),
    ],
)
def test_wrong_files_are_named(tmp_path: Path, text: str, message: str) -> None:
    """An error names the file and the setting in it."""
    file = tmp_path / "config.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read("--config", str(file))
    assert str(caught.value).startswith(f"{file}: ")
    assert message in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A file that is not there is an error, not an empty configuration."""
    with pytest.raises(ConfigError, match=r"none\.yaml: cannot be read"):
        read("--config", str(tmp_path / "none.yaml"))


def test_an_empty_file_sets_nothing(tmp_path: Path) -> None:
    """A file with nothing but comments is a configuration."""
    file = tmp_path / "config.yaml"
    file.write_text("# nothing\n")
    assert read("--config", str(file)) == Example()


def test_help_tells_defaults_and_reasons(capsys: pytest.CaptureFixture[str]) -> None:
    """Help lists each setting with what it is, its default and why."""
    with pytest.raises(SystemExit) as caught:
        read("--help")
    assert caught.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "usage: kubewire-example" in text
    assert "--servers VALUE Servers, separated by commas. Default a:1. One is enough to start." in text
    assert "--insecure [true|false] Also serve without TLS." in text


def test_unknown_flags_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """A flag is never guessed from its beginning."""
    with pytest.raises(SystemExit):
        read("--por=1")
    assert "unrecognized arguments: --por=1" in capsys.readouterr().err
