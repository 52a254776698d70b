"""The REST face in a thread of its own, for tests that are not asynchronous themselves (hypothesis)."""

import asyncio
import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.integration.rest.rest_stack import rest_stack


class HostedStack:
    """A running server that is talked to with the standard library's client."""

    def __init__(self, port: int) -> None:
        self._port = port

    def send(self, method: str, path: str, content_type: str, body: bytes) -> int:
        """The status code of one request on a connection of its own; the answer is read to its end."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
        headers = {"Authorization": "Bearer admin-token"}
        if content_type:
            headers["Content-Type"] = content_type
        try:
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            answer.read()
            return answer.status
        finally:
            connection.close()


@contextmanager
def hosted_stack(etcd: str) -> Iterator[HostedStack]:
    """Start a server over the etcd at this endpoint in a thread, and end both."""
    ports: list[int] = []
    is_up, leave = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        async with rest_stack(etcd) as stack:
            async with stack.session.post("/api/v1/namespaces", json={"metadata": {"name": "default"}}):
                pass
            ports.append(stack.port)
            is_up.set()
            await leave.wait()

    def run() -> None:
        try:
            loop.run_until_complete(serve())
        finally:
            is_up.set()
            loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert is_up.wait(30), "the server did not start"
    try:
        yield HostedStack(ports[0])
    finally:
        loop.call_soon_threadsafe(leave.set)
        thread.join(30)
