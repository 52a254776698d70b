"""Options of streams in URLs."""

import pytest

from kubewire.api.core.v1.connect_options_pb2 import PodExecOptions, PodLogOptions
from kubewire.apiserver.rest.query import parse_query
from kubewire.apiserver.rest.streaming.queries import attach_options, exec_options, log_options
from kubewire.machinery.errors import StatusError


def test_commands_are_repeated_words() -> None:
    """Each `command` is one word, in order, empty ones included."""
    text = "command=sh&command=-c&command=echo+a%26b&command=&stdin=true&stdout=1&tty=false&container=app"
    assert exec_options(parse_query(text), text) == PodExecOptions(
        stdin=True, stdout=True, stderr=False, tty=False, container="app", command=["sh", "-c", "echo a&b", ""]
    )


def test_attach_has_no_command() -> None:
    """Only streams and the container are read."""
    options = attach_options(parse_query("stdout=true&stderr=true&container=app"))
    assert (options.stdin, options.stdout, options.stderr, options.container) == (False, True, True, "app")


def test_logs_keep_what_was_not_asked_for_unset() -> None:
    """Zero lines are not all lines."""
    assert not log_options({}).HasField("tailLines")
    options = log_options(parse_query("tailLines=0&follow&sinceTime=2026-11-23T10%3A00%3A00.5%2B01%3A00"))
    assert options.HasField("tailLines")
    assert options.follow
    assert (options.sinceTime.seconds, options.sinceTime.nanos) == (1795424400, 500_000_000)
    assert log_options(parse_query("limitBytes=7&sinceSeconds=8&previous=true&timestamps=true")) == PodLogOptions(
        container="", follow=False, previous=True, timestamps=True, stream="", limitBytes=7, sinceSeconds=8
    )


@pytest.mark.parametrize("query", ["tailLines=x", "sinceTime=yesterday", "sinceTime=2026-11-23T10:00:00"])
def test_malformed_values_are_bad_requests(query: str) -> None:
    """Numbers have to be numbers, and times have to have a zone."""
    with pytest.raises(StatusError) as raised:
        log_options(parse_query(query))
    assert raised.value.code == 400
