"""Bodies are read within a limit; who leaves is noticed."""

import pytest

from kubewire.apiserver.rest.request import BodyBudget, read_body
from kubewire.machinery.errors import StatusError
from tests.unit.apiserver.rest.fake_request import FakeRequest


async def test_bodies_arrive_in_pieces() -> None:
    """One piece, several, or none."""
    assert await read_body(FakeRequest(body=[b"abc"])) == b"abc"
    assert await read_body(FakeRequest(body=[b"abc", b"def"])) == b"abcdef"
    assert await read_body(FakeRequest()) == b""


@pytest.mark.parametrize("headers", [{}, {"Content-Length": "11"}, {"Content-Length": "nonsense"}])
async def test_bodies_have_a_limit(headers: dict[str, str]) -> None:
    """Announced or not, more than the limit is a 413 and is not read to its end."""
    request = FakeRequest(headers=headers, body=[b"12345", b"67890", b"1", b"2" * 1000])
    with pytest.raises(StatusError) as raised:
        await read_body(request, limit=10)
    assert (raised.value.code, raised.value.message) == (413, "Request entity too large: limit is 10")
    assert request.fake_body.read <= 11


async def test_all_bodies_together_have_a_limit() -> None:
    """A body that does not fit beside the others is a 429; what was read counts until the request ends."""
    budget = BodyBudget(limit=10)
    first, second = FakeRequest(body=[b"12345678"]), FakeRequest(body=[b"12345678"])
    first.fake_connection.budget = second.fake_connection.budget = budget
    await read_body(first)
    with pytest.raises(StatusError, match="too many large request bodies") as raised:
        await read_body(second)
    assert (raised.value.code, raised.value.retry_after_seconds) == (429, 1)
    for request in (first, second):
        budget.give(request.body_bytes)
    assert budget.used == 0


async def test_clients_that_wait_are_told_to_go_on() -> None:
    """`Expect: 100-continue` is answered before the body is read."""
    request = FakeRequest(headers={"Expect": "100-continue"}, body=[b"x"])
    await read_body(request)
    assert request.fake_connection.transport is not None
    assert request.fake_connection.transport.written == b"HTTP/1.1 100 Continue\r\n\r\n"


def test_paths_and_queries_are_taken_apart() -> None:
    """At the first question mark."""
    request = FakeRequest(target="/a%20b?c=d?e")
    assert (request.path, request.query_text) == ("/a%20b", "c=d?e")


def test_leaving_is_told_once() -> None:
    """Whoever set `on_gone` is called when the peer closes the connection."""
    request = FakeRequest()
    calls: list[str] = []
    request.on_gone = lambda: calls.append("gone")
    request._cancel(ConnectionResetError())
    assert request.is_gone
    assert calls == ["gone"]


def test_credentials() -> None:
    """A bearer token, and the names of a client certificate."""
    request = FakeRequest(headers={"Authorization": "Bearer t"})
    request.fake_connection.certificate_subject = ("cn", ("o",))
    assert request.credentials == ("t", "cn", ("o",), ())
    assert request.remote == "192.0.2.7"
