"""HTTP probes against real servers on loopback, good and bad."""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from kubewire.api.core.v1.container_pb2 import Container
from kubewire.api.core.v1.probe_pb2 import HTTPGetAction
from kubewire.kubelet.probes.http_get import http_get
from kubewire.kubelet.probes.reply import SUCCESS, Outcome, ProbeError, Reply
from tests.etcd_process import find_free_port
from tests.integration.kubelet.probes.certificate import self_signed
from tests.integration.kubelet.probes.servers import talking

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A web server that answers everything with `handler`; gives its port."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def action(port: int, path: str = "/", *, scheme: str = "HTTP", **headers: str) -> HTTPGetAction:
    """What a probe asks for."""
    made = HTTPGetAction(path=path, scheme=scheme)
    made.port.intVal = port
    for name, value in headers.items():
        made.httpHeaders.add(name=name.replace("_", "-"), value=value)
    return made


async def probe(asked: HTTPGetAction, timeout_seconds: float = 5.0) -> Reply:
    """Probe a container on the loopback address."""
    return await http_get(asked, Container(name="main"), "127.0.0.1", timeout_seconds)


@pytest.mark.parametrize(("status", "outcome"), [(200, "successful"), (204, "successful"), (399, "successful")])
async def test_statuses_that_are_good(status: int, outcome: str) -> None:
    """200 to 399."""

    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=status)

    async with serving(handler) as port:
        assert (await probe(action(port))).outcome == outcome


@pytest.mark.parametrize("status", [400, 404, 500, 503])
async def test_statuses_that_are_bad(status: int) -> None:
    """The status is told."""

    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=status)

    async with serving(handler) as port:
        reply = await probe(action(port))
        assert reply == Reply(Outcome.FAILURE, f"HTTP probe failed with statuscode: {status}")


async def test_what_is_sent() -> None:
    """Path and query as written, and the action's headers in place of ours."""
    seen: list[web.Request] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request)
        return web.Response()

    async with serving(handler) as port:
        await probe(action(port, "health z?a=1&b=%20"))
        await probe(action(port, "/", Host="shop.example", User_Agent="mine", Accept="", X_One="1"))
    first, second = seen
    assert first.raw_path == "/health%20z?a=1&b=%20"
    assert dict(first.headers) == {
        "Host": f"127.0.0.1:{port}",
        "User-Agent": "kube-probe/1.36",
        "Accept": "*/*",
        "Connection": "close",
    }
    assert dict(second.headers) == {
        "Host": "shop.example",
        "User-Agent": "mine",
        "X-One": "1",
        "Connection": "close",
    }


async def test_a_port_by_name() -> None:
    """The container's ports give the number; a name that is none says nothing about the container."""

    async def handler(request: web.Request) -> web.Response:
        return web.Response()

    async with serving(handler) as port:
        container = Container(name="main")
        container.ports.add(name="web", containerPort=port)
        asked = HTTPGetAction()
        asked.port.type, asked.port.strVal = 1, "web"
        assert await http_get(asked, container, "127.0.0.1", 5) == SUCCESS
        asked.port.strVal = "none"
        with pytest.raises(ProbeError, match="no port named 'none'"):
            await http_get(asked, container, "127.0.0.1", 5)


async def test_redirects_on_the_same_host_are_followed() -> None:
    """To their end, whether that is good or bad, and to another port too."""

    async def elsewhere(request: web.Request) -> web.Response:
        return web.Response(status=500)

    async with serving(elsewhere) as other:

        async def handler(request: web.Request) -> web.Response:
            match request.path:
                case "/good":
                    raise web.HTTPFound("/end")
                case "/bad":
                    raise web.HTTPTemporaryRedirect(f"http://127.0.0.1:{other}/")
            return web.Response()

        async with serving(handler) as port:
            assert await probe(action(port, "/good")) == SUCCESS
            assert (await probe(action(port, "/bad"))).output == "HTTP probe failed with statuscode: 500"


async def test_redirects_to_other_hosts_are_a_warning() -> None:
    """Nobody else is probed: it counts as a success, and says where it led."""

    async def handler(request: web.Request) -> web.Response:
        raise web.HTTPFound("http://localhost:1/login")

    async with serving(handler) as port:
        reply = await probe(action(port))
    assert (reply.outcome, reply.warning) == (Outcome.SUCCESS, True)
    assert "http://localhost:1/login" in reply.output


async def test_redirects_without_end() -> None:
    """Ten are followed."""
    count = 0

    async def handler(request: web.Request) -> web.Response:
        nonlocal count
        count += 1
        raise web.HTTPFound("/again")

    async with serving(handler) as port:
        reply = await probe(action(port))
    assert (reply.outcome, count) == (Outcome.FAILURE, 10)
    assert "stopped after 10 redirects" in reply.output


@pytest.mark.parametrize("location", ["http://127.0.0.1:99999/", "http://[broken", "//", "ftp://127.0.0.1/"])
async def test_redirects_to_nowhere(location: str) -> None:
    """What a container says can fail its probe, and nothing else."""
    async with talking(b"HTTP/1.1 302 Found\r\nLocation: " + location.encode() + b"\r\n\r\n") as port:
        assert (await probe(action(port))).outcome in set(Outcome)


async def test_https_without_verification(tmp_path: Path) -> None:
    """A certificate of its own making is good enough; plain HTTP on a TLS port is not."""

    async def handler(request: web.Request) -> web.Response:
        return web.Response()

    async with serving(handler, self_signed(tmp_path)) as port:
        assert await probe(action(port, scheme="HTTPS")) == SUCCESS
        assert (await probe(action(port))).outcome == Outcome.FAILURE
    async with serving(handler) as port:
        assert (await probe(action(port, scheme="HTTPS"))).outcome == Outcome.FAILURE


async def test_a_refused_connection() -> None:
    """It says so, and that nobody was disturbed."""
    port = find_free_port()
    reply = await probe(action(port, "/x"))
    assert reply == Reply(Outcome.FAILURE, f'Get "http://127.0.0.1:{port}/x": connection refused', refused=True)


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12"])
async def test_no_whole_answer_in_time(sent: bytes) -> None:
    """A server that hangs is not well, at whatever point it does."""
    async with talking(sent, closes=False) as port:
        reply = await probe(action(port), timeout_seconds=0.2)
    assert reply.outcome == Outcome.FAILURE
    assert "no answer within 0.2s" in reply.output


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"", "closed before an answer"),
        (b"HTTP/1.1 200 OK\r\n", "closed before an answer"),
        (b"220 mail ESMTP\r\n\r\n", "no HTTP/1.1"),
        (b"HTTP/1.1 999 What\r\n\r\n", "no HTTP/1.1"),
        (b"HTTP/2 200\r\n\r\n", "no HTTP/1.1"),
        (b"x" * 100_000, "bytes of headers"),
    ],
)
async def test_no_http(sent: bytes, said: str) -> None:
    """What is no answer is a failure that says why."""
    async with talking(sent) as port:
        reply = await probe(action(port))
    assert reply.outcome == Outcome.FAILURE
    assert said in reply.output


@pytest.mark.parametrize(
    "sent",
    [
        b"HTTP/1.0 200 OK\r\n\r\nold, and ended by its close",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200\r\ncontent-length:2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 100_000,
    ],
)
async def test_answers_of_all_sorts(sent: bytes) -> None:
    """With a length, in chunks, ended by the close, and larger than anybody needs, each with the connection open."""
    async with talking(sent, closes=b"ended by its close" in sent) as port:
        assert await probe(action(port)) == SUCCESS


async def test_a_header_is_no_more_than_one() -> None:
    """A line end in a header would be a second one."""
    with pytest.raises(ProbeError, match="a line must not end"):
        await probe(action(1, X="a\r\nEvil: yes"))


@pytest.mark.parametrize("number", [0, -1, 65536])
async def test_ports_that_cannot_be(number: int) -> None:
    """They say nothing about the container."""
    with pytest.raises(ProbeError, match="invalid port number"):
        await probe(action(number))


async def test_a_host_that_is_none() -> None:
    """A name that cannot be looked up fails the probe."""
    asked = action(80)
    asked.host = "x" * 300
    assert (await probe(asked)).outcome == Outcome.FAILURE
