"""Options of streams as the query of a URL has them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from kubewire.api.core.v1.connect_options_pb2 import PodAttachOptions, PodExecOptions, PodLogOptions
from kubewire.apiserver.rest.query import flag, optional_integer
from kubewire.machinery import errors

if TYPE_CHECKING:
    from kubewire.apiserver.rest.query import Query

_NO_TIME: Final = datetime(1, 1, 1)  # noqa: DTZ001 - recognized by having no zone


def words(query_text: str, name: str) -> list[str]:
    """All values of a parameter that may be repeated."""
    return [value for found, value in parse_qsl(query_text, keep_blank_values=True) if found == name]


def exec_options(query: Query, query_text: str) -> PodExecOptions:
    """Of `exec`; the command is repeated, one word each time."""
    return PodExecOptions(
        stdin=flag(query, "stdin"),
        stdout=flag(query, "stdout"),
        stderr=flag(query, "stderr"),
        tty=flag(query, "tty"),
        container=query.get("container", ""),
        command=words(query_text, "command"),
    )


def attach_options(query: Query) -> PodAttachOptions:
    """Of `attach`."""
    return PodAttachOptions(
        stdin=flag(query, "stdin"),
        stdout=flag(query, "stdout"),
        stderr=flag(query, "stderr"),
        tty=flag(query, "tty"),
        container=query.get("container", ""),
    )


def log_options(query: Query) -> PodLogOptions:
    """Of `log`.

    Raises:
        StatusError: 400, a value is malformed.
    """
    options = PodLogOptions(
        container=query.get("container", ""),
        follow=flag(query, "follow"),
        previous=flag(query, "previous"),
        timestamps=flag(query, "timestamps"),
        stream=query.get("stream", ""),
    )
    for name in ("sinceSeconds", "tailLines", "limitBytes"):
        value = optional_integer(query, name)
        if value is not None:
            setattr(options, name, value)
    since = query.get("sinceTime", "")
    if since:
        _set_time(options, since)
    return options


def _set_time(options: PodLogOptions, text: str) -> None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = _NO_TIME
    if moment.tzinfo is None:
        raise errors.bad_request(f"sinceTime: want a time such as 2026-01-02T15:04:05Z, got {text!r}")
    options.sinceTime.seconds = int(moment.timestamp())
    options.sinceTime.nanos = moment.microsecond * 1000
