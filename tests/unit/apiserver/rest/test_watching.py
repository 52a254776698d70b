"""Streams end as they should, whoever ends them, and leave no watch open."""

import asyncio
from collections.abc import AsyncIterator

import orjson
import pytest

from kubewire.apiserver.contracts import Watch
from kubewire.apiserver.encoding.media import Format, Wanted
from kubewire.apiserver.encoding.memory import FormMemory
from kubewire.apiserver.encoding.objects import ObjectForms
from kubewire.apiserver.item import Batch, Event
from kubewire.apiserver.metrics import ApiServerMetrics, EndpointMetrics
from kubewire.apiserver.rest.paths import Endpoint
from kubewire.apiserver.rest.request import CLOSE, GO_ON, Written
from kubewire.apiserver.rest.watching import Streams
from kubewire.component.metrics.registry import Registry
from kubewire.machinery import errors
from tests.unit.apiserver.encoding.samples import CONFIG_MAPS, config_map
from tests.unit.apiserver.rest.fake_request import FakeRequest

JSON = Wanted(Format.JSON)
METRICS = ApiServerMetrics(Registry())


class FakeWatch:
    """Hands out batches, then ends, fails, or waits for ever."""

    def __init__(self, *batches: Batch, error: Exception | None = None, waits: bool = False) -> None:
        self._batches = batches
        self._error = error
        self._waits = waits
        self.is_closed = False

    async def __aiter__(self) -> AsyncIterator[Batch]:
        for batch in self._batches:
            yield batch
        if self._waits:
            await asyncio.Event().wait()
        if self._error is not None:
            raise self._error

    async def aclose(self) -> None:
        self.is_closed = True


def added(name: str) -> Batch:
    """One addition."""
    return Batch([Event("ADDED", config_map(name), None, 5)])


def series() -> EndpointMetrics:
    """Where watches of config maps count."""
    return METRICS.requests.endpoint("WATCH", CONFIG_MAPS, "", "namespace")


async def stream(request: FakeRequest, watch: FakeWatch) -> Written:
    """Write a watch."""

    async def starting() -> Watch:
        return watch

    streams = Streams(ObjectForms(FormMemory()), METRICS)
    return await streams.write(request, Endpoint(CONFIG_MAPS), series(), JSON, starting())


def types(request: FakeRequest) -> list[str]:
    """Types of the events that were written; the body has ended."""
    return [orjson.loads(line)["type"] for line in request.answer.unchunked.splitlines()]


async def test_batches_become_chunks_until_the_end() -> None:
    """At its timeout a watch ends as a whole body, and the connection goes on."""
    request, watch = FakeRequest(), FakeWatch(added("a"), added("b"))
    assert await stream(request, watch) is GO_ON
    assert types(request) == ["ADDED", "ADDED"]
    assert watch.is_closed
    assert series().running.value == 0


async def test_lost_history_is_an_event() -> None:
    """In the middle of a stream, and before its first event."""
    request = FakeRequest()
    await stream(request, FakeWatch(added("a"), error=errors.expired("too old")))
    assert types(request) == ["ADDED", "ERROR"]

    async def refused() -> Watch:
        raise errors.expired("too old")

    request = FakeRequest()
    streams = Streams(ObjectForms(FormMemory()), METRICS)
    await streams.write(request, Endpoint(CONFIG_MAPS), series(), JSON, refused())
    assert (request.answer.code, types(request)) == (200, ["ERROR"])


async def test_a_watcher_that_was_too_slow_is_just_ended() -> None:
    """It resumes from where it was: an error would make it list again."""
    request = FakeRequest()
    await stream(request, FakeWatch(added("a"), error=errors.service_unavailable("too slow")))
    assert types(request) == ["ADDED"]


async def test_other_errors_come_before_the_stream() -> None:
    """They are told by the status line."""

    async def refused() -> Watch:
        raise errors.bad_request("no")

    streams = Streams(ObjectForms(FormMemory()), METRICS)
    with pytest.raises(errors.StatusError, match="no"):
        await streams.write(FakeRequest(), Endpoint(CONFIG_MAPS), series(), JSON, refused())


async def test_a_client_that_leaves_ends_its_watch() -> None:
    """While the stream waits for the next event."""
    request, watch = FakeRequest(), FakeWatch(added("a"), waits=True)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(stream(request, watch))
        while not request.size:  # noqa: ASYNC110 - until the first event is written
            await asyncio.sleep(0)
        request.leave()
        await running
    assert watch.is_closed
    assert types(request) == ["ADDED"]


async def test_a_client_that_left_early_leaves_nothing_open() -> None:
    """Before the stream began: the watch is closed all the same."""
    request, watch = FakeRequest(), FakeWatch(added("a"))
    request.fake_connection.transport = None
    with pytest.raises(ConnectionResetError):
        await stream(request, watch)
    assert watch.is_closed
    request, watch = FakeRequest(), FakeWatch(added("a"))
    request.leave()
    with pytest.raises(ConnectionResetError):
        await stream(request, watch)
    assert watch.is_closed


async def test_clients_that_close_are_not_kept() -> None:
    """A connection that is to end ends with its stream."""
    request = FakeRequest()
    request.message = request.message._replace(should_close=True)  # type: ignore[misc]  # a request of HTTP/1.0
    assert await stream(request, FakeWatch(added("a"))) is CLOSE
