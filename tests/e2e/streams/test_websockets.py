"""WebSockets as client libraries use them: the older protocols, and clients that misbehave."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import orjson
import pytest

from tests.e2e.streams.pods_user import SECONDS, PodsUser

PODS = "/api/v1/namespaces/default/pods"


@asynccontextmanager
async def opened(user: PodsUser, path: str, *protocols: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """A WebSocket at a path below the pods."""
    tls = ssl.create_default_context(cafile=str(user.apiserver.ca))
    headers = {"Authorization": f"Bearer {user.apiserver.token}"}
    try:
        async with aiohttp.ClientSession(headers=headers) as session, asyncio.timeout(SECONDS):
            url = f"{user.apiserver.rest}{PODS}/{path}"
            async with session.ws_connect(url, ssl=tls, protocols=protocols, max_msg_size=0) as socket:
                yield socket
    finally:
        # aiohttp's client does not wait for the end of TLS connections.
        await asyncio.sleep(0.1)


async def everything(socket: aiohttp.ClientWebSocketResponse) -> dict[int, bytes]:
    """All data by channel, until the server closes."""
    found: dict[int, bytes] = {}
    async for message in socket:
        data: bytes = message.data
        found[data[0]] = found.get(data[0], b"") + data[1:]
    assert socket.close_code == 1000
    return found


async def test_version_4(user: PodsUser) -> None:
    """Output, errors and a Status at the end, each on its channel."""
    query = "command=sh&command=-c&command=echo+out%3B+echo+err+%3E%262%3B+exit+3&stdout=1&stderr=1"
    async with opened(user, f"shell/exec?{query}", "v4.channel.k8s.io") as socket:
        assert socket.protocol == "v4.channel.k8s.io"
        found = await everything(socket)
    assert (found[1], found[2]) == (b"out\n", b"err\n")
    status = orjson.loads(found[3])
    assert (status["reason"], status["details"]["causes"]) == (
        "NonZeroExitCode",
        [{"reason": "ExitCode", "message": "3"}],
    )


async def test_base64(user: PodsUser) -> None:
    """Texts instead of bytes, for clients that have no others."""
    query = "command=head&command=-c4&stdin=1&stdout=1"
    async with opened(user, f"shell/exec?{query}", "v4.base64.channel.k8s.io") as socket:
        await socket.send_str("0" + base64.b64encode(b"\xff\x00\x01\x02").decode())
        message = await socket.receive()
        assert message.type is aiohttp.WSMsgType.TEXT
        assert base64.b64decode(message.data[1:]) == b"\xff\x00\x01\x02"
        last = await socket.receive()
        assert orjson.loads(base64.b64decode(last.data[1:])) == {"metadata": {}, "status": "Success"}


async def test_ports_have_channels_of_their_own(user: PodsUser) -> None:
    """Each begins with its port's number; one that cannot be reached says so, and the others go on."""
    user.start_ready("ports", "sh", "-c", "mkdir /www; echo hello > /www/index.html; exec httpd -f -p 8080 -h /www")
    async with opened(user, "ports/portforward?ports=8080&ports=9", "v4.channel.k8s.io") as socket:
        await socket.send_bytes(b"\x00GET / HTTP/1.0\r\n\r\n")
        found = await everything(socket)
    assert [found[channel][:2] for channel in range(4)] == [b"\x90\x1f", b"\x90\x1f", b"\x09\x00", b"\x09\x00"]
    assert found[0].endswith(b"hello\n")
    assert b"Connection refused" in found[3]


@pytest.mark.parametrize(
    ("path", "protocol", "code"),
    [
        ("shell/exec?command=ls&stdout=1", "v9.channel.k8s.io", 400),
        ("shell/portforward?ports=http", "v4.channel.k8s.io", 400),
        ("shell/portforward", "v4.channel.k8s.io", 400),
        ("nothing/exec?command=ls&stdout=1", "v4.channel.k8s.io", 404),
    ],
)
async def test_what_cannot_be_served_is_answered_over_http(user: PodsUser, path: str, protocol: str, code: int) -> None:
    """Before the WebSocket stands, an error is an answer like any other."""
    with pytest.raises(aiohttp.WSServerHandshakeError) as raised:
        async with opened(user, path, protocol):
            pass
    assert raised.value.status == code


async def test_nonsense_is_passed_over(user: PodsUser) -> None:
    """Unknown channels, sizes that are none and empty messages change nothing."""
    async with opened(user, "shell/exec?command=cat&stdin=1&stdout=1&tty=0", "v5.channel.k8s.io") as socket:
        for message in (b"", b"\x04{}", b"\x04[1", b"\x09x", b"\xff", b"\x00hello", b"\xff\x00"):
            await socket.send_bytes(message)
        assert await everything(socket) == {1: b"hello", 3: b'{"metadata":{},"status":"Success"}'}


async def test_messages_that_are_too_large_end_the_socket(user: PodsUser) -> None:
    """Nobody can have us keep many megabytes."""
    async with opened(user, "shell/exec?command=cat&stdin=1&stdout=1", "v5.channel.k8s.io") as socket:
        await socket.send_bytes(bytes(5 << 20))
        async for _ in socket:
            pass
    assert user.ok("exec", "shell", "--", "echo", "fine") == "fine\n"
