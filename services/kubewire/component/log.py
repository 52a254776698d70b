"""Logs: a constant message and keys, as JSON where machines read them and as text where people do.

Built on the standard library's logging, so that what other libraries say comes out in the same form.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from typing import IO, Final, Literal

ROOT: Final = "kubewire"
LogFormat = Literal["auto", "json", "text"]
LEVELS: Final = ("debug", "info", "warning", "error")

_KEYS: Final = "kubewire_keys"
_STANDARD: Final = frozenset({*vars(logging.makeLogRecord({})), "message", "asctime"})
"""What every record has; all else was given by whoever logs."""

_RESET: Final = "\x1b[0m"
_DIM: Final = "\x1b[2m"
_COLOURS: Final = {
    "DEBUG": _DIM,
    "INFO": "\x1b[32m",
    "WARNING": "\x1b[33m",
    "ERROR": "\x1b[31m",
    "CRITICAL": "\x1b[31m",
}


class Logger:
    """Writes under one name, the folder of the code that logs: `apiserver.rpc`.

    A message never changes, so that equal events can be counted; what differs goes into keys.
    """

    __slots__ = ("_logger",)

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(f"{ROOT}.{name}")

    @property
    def is_debug(self) -> bool:
        """Whether debug messages go anywhere; ask before making expensive keys."""
        return self._logger.isEnabledFor(logging.DEBUG)

    def debug(self, message: str, **keys: object) -> None:
        """For those who look for a fault."""
        self._write(logging.DEBUG, message, keys)

    def info(self, message: str, **keys: object) -> None:
        """What happens in the ordinary course."""
        self._write(logging.INFO, message, keys)

    def warning(self, message: str, **keys: object) -> None:
        """Something is not as it should be; it goes on, maybe worse."""
        self._write(logging.WARNING, message, keys)

    def error(self, message: str, **keys: object) -> None:
        """Something failed."""
        self._write(logging.ERROR, message, keys)

    def exception(self, message: str, error: BaseException, **keys: object) -> None:
        """Something failed that should not have been possible: with the traceback."""
        self._write(logging.ERROR, message, keys, error)

    def _write(self, level: int, message: str, keys: dict[str, object], error: BaseException | None = None) -> None:
        if self._logger.isEnabledFor(level):
            self._logger.log(level, message, exc_info=error, extra={_KEYS: keys})


class JsonFormatter(logging.Formatter):
    """One JSON object a line: `ts` (seconds), `level`, `logger`, `msg`, the keys, and `exception` with a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        fields: dict[str, object] = {
            "ts": round(record.created, 6),
            "level": record.levelname.lower(),
            "logger": _name(record),
            "msg": record.getMessage(),
        }
        fields.update(_keys(record))
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return json.dumps(fields, default=str, ensure_ascii=False, separators=(",", ":"))


class TextFormatter(logging.Formatter):
    """`06:14:24.123 INFO  apiserver.rpc  message  key=value`, in colours if asked to."""

    def __init__(self, *, colours: bool) -> None:
        super().__init__()
        self._colours = colours

    def format(self, record: logging.LogRecord) -> str:
        """The line, and below it a traceback if there is one."""
        clock = f"{time.strftime('%H:%M:%S', time.localtime(record.created))}.{int(record.msecs):03d}"
        keys = "".join(f"  {name}={_quoted(value)}" for name, value in _keys(record).items())
        level, name = f"{record.levelname:<7}", _name(record)
        if self._colours:
            level, name = f"{_COLOURS.get(record.levelname, '')}{level}{_RESET}", f"{_DIM}{name}{_RESET}"
        line = f"{clock} {level} {name}  {record.getMessage()}{keys}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def configure(*, level: str = "info", form: LogFormat = "auto", stream: IO[str] | None = None) -> None:
    """Send all logs of the process to `stream` (standard error); `auto` is text on a terminal, JSON elsewhere.

    Colours are for terminals, and only where NO_COLOR is not set. Doing it again replaces what was before.
    """
    target = sys.stderr if stream is None else stream
    is_terminal = target.isatty()
    formatter: logging.Formatter
    if form == "json" or (form == "auto" and not is_terminal):
        formatter = JsonFormatter()
    else:
        formatter = TextFormatter(colours=is_terminal and not os.environ.get("NO_COLOR"))
    handler = logging.StreamHandler(target)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # Other libraries speak up when something is wrong; their everyday talk is not ours.
    root.setLevel(logging.WARNING)
    logging.getLogger(ROOT).setLevel(level.upper())


def _name(record: logging.LogRecord) -> str:
    return record.name.removeprefix(f"{ROOT}.")


def _keys(record: logging.LogRecord) -> dict[str, object]:
    """What our loggers were given, and the `extra` of those who use the standard library's."""
    keys: dict[str, object] = {name: value for name, value in vars(record).items() if name not in _STANDARD}
    keys.update(keys.pop(_KEYS, {}))  # type: ignore[call-overload]  # ours, a dictionary
    return keys


def _quoted(value: object) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if not text or any(char in text for char in ' "=\n\t') else text
