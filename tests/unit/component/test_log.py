"""Log lines as JSON and as text."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from kubewire.component.log import LogFormat, Logger, configure


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("kubewire")
    handlers, levels = list(root.handlers), (root.level, ours.level)
    yield
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    ours.setLevel(levels[1])


def written(form: LogFormat, stream: io.StringIO | None = None) -> str:
    """What a few messages look like."""
    target = io.StringIO() if stream is None else stream
    configure(form=form, stream=target)
    log = Logger("tests.part")
    log.debug("not shown")
    log.info("served", code=200, path="/a b", nothing="")
    logging.getLogger("kubewire.other").warning("old %s", "style", extra={"seen": 5})
    return target.getvalue()


def test_json_lines_have_message_and_keys() -> None:
    """One object a line, whoever logs: ours by keys, the standard library's by extra."""
    lines = [json.loads(line) for line in written("json").splitlines()]
    assert all(line.pop("ts") > 0 for line in lines)
    assert lines == [
        {"level": "info", "logger": "tests.part", "msg": "served", "code": 200, "path": "/a b", "nothing": ""},
        {"level": "warning", "logger": "other", "msg": "old style", "seen": 5},
    ]


def test_text_lines_can_be_read() -> None:
    """Level, name, message and keys; values with spaces are quoted."""
    first, second = written("text").splitlines()
    assert first.endswith('INFO    tests.part  served  code=200  path="/a b"  nothing=""')
    assert second.endswith("WARNING other  old style  seen=5")


def test_auto_is_text_in_colours_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Machines get JSON, people text, and colours only where NO_COLOR does not forbid them."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert written("auto").startswith("{")
    assert "\x1b[32mINFO" in written("auto", Terminal())
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in written("auto", Terminal())


def test_exceptions_are_written_with_their_traceback() -> None:
    """The traceback is a field of the JSON line, so that a failure is one entry."""
    stream = io.StringIO()
    configure(form="json", stream=stream)
    Logger("tests").exception("failed", KeyError("lost"), part="x")
    [line] = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert (line["msg"], line["part"]) == ("failed", "x")
    assert "KeyError: 'lost'" in line["exception"]


def test_values_that_are_no_json_are_written_as_text() -> None:
    """Any object may be a key's value."""
    stream = io.StringIO()
    configure(form="json", stream=stream)
    Logger("tests").info("x", error=ValueError("why"), name="n")
    assert json.loads(stream.getvalue())["error"] == "why"
