"""One call: messages however they are cut, every way it can end, and what the peer may send meanwhile."""

import asyncio

import grpc
import grpc.aio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubewire.apiserver.etcd.http2.calls import Call, NotSent, failure, framed, not_sent
from kubewire.apiserver.etcd.http2.headers import Headers
from tests.unit.apiserver.etcd.http2.peer import answered

OK_FIELDS = {":status": "200", "content-type": "application/grpc"}
OK = Headers.of(OK_FIELDS)
DONE = Headers.of({"grpc-status": "0"})
CODE_OF_INTERNAL = grpc.StatusCode.INTERNAL


def begun(*, is_unary: bool = False) -> Call:
    """A call whose initial headers have come."""
    call = Call(is_unary=is_unary)
    call.on_headers(OK, is_last=False)
    return call


def arrive(call: Call, data: bytes) -> None:
    """Data without padding."""
    call.on_data(data, len(data))


async def all_messages(call: Call) -> list[bytes]:
    """Every message until the end."""
    found = []
    while (message := await call.next_message()) is not None:
        found.append(message)
    return found


async def ended_with(call: Call) -> grpc.aio.AioRpcError:
    """The error a call ended with."""
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await (answered(call) if call.is_unary else call.next_message())
    return error.value


@given(st.lists(st.binary(max_size=50), max_size=6), st.data())
def test_messages_cut_anywhere(messages: list[bytes], data: st.DataObject) -> None:
    """Messages come whole and in order wherever the data is cut, and the account of bytes is right all the time."""
    stream = b"".join(map(framed, messages))
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=10)))

    async def read() -> None:
        call, arrived = begun(), 0
        found: list[bytes | None] = []
        for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
            arrive(call, stream[start:end])
            arrived += end - start
            assert call.credit == arrived - sum(len(message) + 5 for message in call._messages)
            for _ in range(data.draw(st.integers(0, len(call._messages)))):
                found.append(await call.next_message())  # noqa: PERF401 - reads like what it does
        call.on_headers(DONE, is_last=True)
        found += await all_messages(call)
        assert found == messages
        assert call.credit == len(stream)

    asyncio.run(read())


async def test_unary() -> None:
    """The answer is handed out when the call is over, not before."""
    call = begun(is_unary=True)
    async with asyncio.TaskGroup() as group:
        answer = group.create_task(answered(call))
        arrive(call, framed(b"yes"))
        await asyncio.sleep(0)
        assert not answer.done()
        call.on_headers(DONE, is_last=True)
    assert answer.result() == b"yes"
    assert call.credit == 8


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        ([], "no message"),
        ([framed(b"1"), framed(b"2")], "more than one message"),
        ([framed(b"1") + framed(b"2")], "more than one message"),
        ([framed(b"12")[:-1]], "within a message"),
        ([framed(b"1"), b"\0"], "within a message"),
        ([b"\1\0\0\0\1x"], "compressed"),
        ([b"\0\xff\xff\xff\xff"], "over 2 GiB"),
    ],
)
async def test_answers_that_are_none(pieces: list[bytes], text: str) -> None:
    """An answer that is not exactly one message is an error, although the peer says that all is well."""
    call = begun(is_unary=True)
    for piece in pieces:
        arrive(call, piece)
    call.on_headers(DONE, is_last=True)
    error = await ended_with(call)
    assert error.code() is CODE_OF_INTERNAL
    assert text in (error.details() or "")


@pytest.mark.parametrize("code", list(grpc.StatusCode))
async def test_every_status(code: grpc.StatusCode) -> None:
    """A status in trailers, alone or after an answer, is the call's error; only OK is none."""
    trailers = {"grpc-status": str(code.value[0]), "grpc-message": "so%20it%20is"}
    for call in (Call(is_unary=True), begun(is_unary=True)):
        if call._begun:
            arrive(call, framed(b"yes"))
        call.on_headers(Headers.of(OK_FIELDS | trailers), is_last=True)
        if code is grpc.StatusCode.OK:
            continue
        error = await ended_with(call)
        assert (error.code(), error.details()) == (code, "so it is")
        assert not isinstance(error, NotSent)


@pytest.mark.parametrize("status", ["17", "-1", "²", "1" * 5000, "", "OK", "00"])
async def test_strange_statuses(status: str) -> None:
    """A status that nobody knows is UNKNOWN."""
    call = begun()
    call.on_headers(Headers.of({"grpc-status": status}), is_last=True)
    assert (await ended_with(call)).code() is grpc.StatusCode.UNKNOWN


@pytest.mark.parametrize(
    ("headers", "is_last", "code"),
    [
        ({":status": "502", "content-type": "text/html"}, False, grpc.StatusCode.UNAVAILABLE),
        ({":status": "503"}, True, grpc.StatusCode.UNAVAILABLE),
        ({":status": "200", "content-type": "text/html"}, False, grpc.StatusCode.UNAVAILABLE),
        ({":status": "200"}, True, grpc.StatusCode.UNAVAILABLE),
        ({}, True, grpc.StatusCode.UNAVAILABLE),
    ],
)
async def test_answers_of_others(headers: dict[str, str], is_last: bool, code: grpc.StatusCode) -> None:  # noqa: FBT001
    """What is no gRPC answer says what it was, and not that nothing was done."""
    call = Call(is_unary=True)
    call.on_headers(Headers.of(headers), is_last=is_last)
    error = await ended_with(call)
    assert (error.code(), type(error)) == (code, grpc.aio.AioRpcError)
    assert headers.get(":status", "none") in (error.details() or "")


async def test_informational_headers() -> None:
    """Headers with a status of 1xx are followed by the answer's own."""
    call = Call(is_unary=True)
    call.on_headers(Headers.of({":status": "103"}), is_last=False)
    call.on_headers(OK, is_last=False)
    arrive(call, framed(b"yes"))
    call.on_headers(DONE, is_last=True)
    assert await answered(call) == b"yes"


async def test_wrong_order() -> None:
    """Data before headers, headers twice, and trailers without a status are errors."""
    call = Call(is_unary=False)
    arrive(call, framed(b"early"))
    assert (await ended_with(call)).details() == "data before headers"
    call = begun()
    call.on_headers(OK, is_last=False)
    assert (await ended_with(call)).details() == "trailers that do not end the stream"
    call = begun()
    call.on_headers(Headers.of({}), is_last=True)
    assert (await ended_with(call)).code() is grpc.StatusCode.UNKNOWN


async def test_what_came_before_the_end() -> None:
    """A stream's messages are handed out before its error."""
    call = begun()
    arrive(call, framed(b"1") + framed(b"2"))
    call.end(failure(grpc.StatusCode.UNAVAILABLE, "gone"))
    assert [await call.next_message(), await call.next_message()] == [b"1", b"2"]
    assert (await ended_with(call)).details() == "gone"


async def test_the_first_end_counts() -> None:
    """A call ends once."""
    call = begun()
    call.end(None)
    call.end(failure(grpc.StatusCode.UNAVAILABLE, "gone"))
    assert await call.next_message() is None


async def test_readers_that_went_away() -> None:
    """A reader that was cancelled is not woken; the next one gets the message."""
    call = begun()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await call.next_message()
    arrive(call, framed(b"1"))
    assert await call.next_message() == b"1"


def test_padding_counts() -> None:
    """Padding is given back to the peer at once: it took part of the window."""
    call = begun()
    call.on_data(framed(b"1"), 100)
    assert call.credit == 94


def test_not_sent_is_a_failure() -> None:
    """Whoever knows nothing of NotSent sees a failed call."""
    error = not_sent("why", grpc.StatusCode.CANCELLED)
    assert isinstance(error, grpc.aio.AioRpcError)
    assert (error.code(), error.details()) == (grpc.StatusCode.CANCELLED, "why")
