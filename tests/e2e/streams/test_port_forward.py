"""Ports of pods on the machine of whoever runs kubectl."""

import re
import socket
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from tests.e2e.streams.pods_user import SECONDS, PodsUser


@pytest.fixture(scope="module")
def web(user: PodsUser) -> PodsUser:
    """A pod that serves a page at 8080, on loopback alone, and gives back what is posted to it."""
    user.start_ready(
        "web",
        "sh",
        "-c",
        "mkdir -p /www/cgi-bin; cd /www; echo hello > index.html; printf '#!/bin/sh\\\\necho; cat' > cgi-bin/echo; "
        "chmod +x cgi-bin/echo; exec httpd -f -p 127.0.0.1:8080 -h /www",
    )
    return user


@contextmanager
def forwarded(user: PodsUser, port: int) -> Iterator[tuple[int, list[str]]]:
    """A port of our own that leads there, and a list that has what kubectl complained of afterwards."""
    said: list[str] = []
    with user.running("port-forward", "web", f":{port}") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        line = b""
        while not line.endswith(b"\n"):
            line += process.stdout.read(1)
        found = re.search(rb"127\.0\.0\.1:(\d+)", line)
        assert found, line
        yield int(found[1]), said
        process.terminate()
        said.append(process.stderr.read().decode())


def test_pages_are_fetched_many_at_once(web: PodsUser) -> None:
    """What listens on the pod's own loopback is reached, by connections side by side."""
    with forwarded(web, 8080) as (port, said), ThreadPoolExecutor(8) as pool:

        def fetch(_: int) -> bytes:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=SECONDS) as answer:
                page: bytes = answer.read()
                return page

        assert list(pool.map(fetch, range(40))) == [b"hello\n"] * 40
    assert said == [""]


def test_large_data_goes_both_ways(web: PodsUser) -> None:
    """Megabytes there and back."""
    data = bytes(range(256)) * 4096 * 4
    with forwarded(web, 8080) as (port, said):
        request = urllib.request.Request(f"http://127.0.0.1:{port}/cgi-bin/echo", data=data)
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:
            assert answer.read() == data
    assert said == [""]


def test_a_port_nobody_listens_on_is_named(web: PodsUser) -> None:
    """The connection ends, and kubectl says why."""
    with forwarded(web, 9) as (port, said), socket.create_connection(("127.0.0.1", port), SECONDS) as connection:
        assert connection.recv(1) == b""
    assert "failed to connect to localhost:9 inside the pod: 127.0.0.1: Connection refused" in said[0]
