"""Answers carry what Kubernetes' clients know, and nothing a client sent can break them."""

import gzip

import pytest

from kubewire.apiserver.rest import answers
from kubewire.apiserver.rest.answers import (
    AuditIds,
    HttpDate,
    drain,
    error_headers,
    plain_status,
    warning_headers,
    write,
    write_compressed,
    write_pieces,
)
from kubewire.apiserver.rest.request import CLOSE, GO_ON
from kubewire.machinery import errors
from tests.unit.apiserver.rest.fake_request import Answer, FakeRequest


def test_a_whole_answer() -> None:
    """Length, type, date, audit id, and that nobody may cache it."""
    request = FakeRequest()
    assert write(request, 200, b"{}\n") is GO_ON
    answer = request.answer
    assert (answer.code, answer.body) == (200, b"{}\n")
    assert answer.headers["Content-Length"] == "3"
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-cache, private"
    assert {"Date", "Audit-Id"} <= set(answer.headers)
    assert (request.code, request.size) == (200, 3)


def test_head_has_no_body() -> None:
    """The length is that of the body that is not sent."""
    request = FakeRequest("HEAD")
    write(request, 200, b"12345")
    assert (request.answer.headers["Content-Length"], request.answer.body) == ("5", b"")


def test_not_modified_has_no_length() -> None:
    """A 304 has neither body nor length."""
    request = FakeRequest()
    write(request, 304, b"", b"application/json", (("ETag", '"x"'),))
    assert request.answer.code == 304
    assert "Content-Length" not in request.answer.headers


def test_headers_cannot_be_broken() -> None:
    """Line ends in values, the caller's audit id included, become spaces."""
    request = FakeRequest(headers={"Audit-ID": "x\x0b\u2028y"})
    write(request, 200, b"", b"application/json", (("Warning", "a\r\nEvil: yes"),))
    assert "Evil" not in request.answer.headers
    assert request.answer.headers["Audit-Id"] == "x  y"


def test_own_caching_replaces_the_usual() -> None:
    """An answer that may be cached says so once."""
    request = FakeRequest()
    write(request, 200, b"", b"application/json", (("Cache-Control", "public"),))
    assert request.answer.headers.getall("Cache-Control") == ["public"]


def test_clients_that_close_are_told_so() -> None:
    """The connection ends after the answer if the client wants it."""
    request = FakeRequest()
    request.message = request.message._replace(should_close=True)  # type: ignore[misc]  # a request of HTTP/1.0
    assert write(request, 200, b"") is CLOSE
    assert request.answer.headers["Connection"] == "close"


def test_a_client_that_is_gone() -> None:
    """Writing to it is a ConnectionResetError."""
    request = FakeRequest()
    request.fake_connection.transport = None
    with pytest.raises(ConnectionResetError):
        write(request, 200, b"")


async def test_pieces_become_chunks() -> None:
    """Empty pieces are left out: an empty chunk would end the body."""
    request = FakeRequest()
    assert await write_pieces(request, [b"abc", b"", b"d" * 300]) is GO_ON
    assert request.answer.headers["Transfer-Encoding"] == "chunked"
    assert request.answer.unchunked == b"abc" + b"d" * 300
    assert request.size == 303


async def test_compressed_pieces() -> None:
    """The pieces come out of gzip as they went in."""
    request = FakeRequest()
    await write_compressed(request, [b"a" * 100_000, b"b" * 100_000], b"application/json")
    assert request.answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(request.answer.unchunked) == b"a" * 100_000 + b"b" * 100_000
    assert request.size < 10_000


async def test_a_client_that_does_not_read_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting for it ends; its connection is aborted."""
    monkeypatch.setattr(answers, "SLOW_CLIENT_SECONDS", 0.0)
    request = FakeRequest()
    request.fake_connection.writing_paused = True

    class Stuck:
        async def drain(self) -> None:
            raise TimeoutError

    request.writer = Stuck()  # type: ignore[assignment, misc]  # of a connection that is stuck
    with pytest.raises(ConnectionResetError, match="does not read"):
        await drain(request)
    assert request.fake_connection.transport is not None
    assert request.fake_connection.transport.is_aborted


def test_warnings_are_quoted() -> None:
    """Each text once, quotes escaped, and no more than fit."""
    assert warning_headers(['unknown field "a"', 'unknown field "a"', "b"]) == [
        ("Warning", '299 - "unknown field \\"a\\""'),
        ("Warning", '299 - "b"'),
    ]
    assert len(warning_headers(f"{number:01000}" for number in range(10))) == 4


def test_errors_may_say_when_to_retry() -> None:
    """Retry-After in seconds, if the error knows."""
    assert error_headers(errors.too_many_requests("busy", 7)) == [("Retry-After", "7")]
    assert not error_headers(errors.bad_request("no"))


def test_errors_without_a_request() -> None:
    """What could not be read is answered all the same, and the connection ends."""
    answer = Answer(plain_status(errors.bad_request("malformed")))
    assert (answer.code, answer.headers["Connection"]) == (400, "close")
    assert b'"reason":"BadRequest"' in answer.body


def test_audit_ids_are_unique() -> None:
    """In the form of UUIDs."""
    ids = AuditIds()
    made = {ids.make() for _ in range(100)}
    assert len(made) == 100
    assert all(len(one) == 36 and one.count(b"-") == 4 for one in made)


def test_the_date_changes_with_the_second() -> None:
    """As HTTP writes it."""
    date = HttpDate()
    assert date.line(0.9) == b"\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
    assert date.line(1.0) == b"\r\nDate: Thu, 01 Jan 1970 00:00:01 GMT\r\n"
