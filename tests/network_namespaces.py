"""Network namespaces of a test's own, without names: they go when the test process lets go of them, however it ends.

A namespace has one thread that lives in it. Sockets that are made there belong to it, whoever uses them later, so that
servers and clients in many namespaces are threads of the test, and no process is started for them.
"""

import asyncio
import contextlib
import ctypes
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, ParamSpec, Self, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_NEW_NETWORK: Final = 0x40000000
_PATIENCE_SECONDS: Final = 20.0
_LIBC: Final = ctypes.CDLL(None, use_errno=True)


def _enter_fresh() -> None:
    """Move the calling thread into a namespace of its own."""
    if _LIBC.unshare(_NEW_NETWORK):
        number = ctypes.get_errno()
        raise OSError(number, f"cannot make a network namespace, this test wants root: {os.strerror(number)}")


class NetworkNamespace:
    """Make it in a `with` block."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name, initializer=_enter_fresh)
        self._descriptor = self.call(os.open, "/proc/thread-self/ns/net", os.O_RDONLY)
        self.ip("link", "set", "lo", "up")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown()
        os.close(self._descriptor)

    @property
    def path(self) -> str:
        """Names it to programs such as nsenter while this process lives."""
        return f"/proc/{os.getpid()}/fd/{self._descriptor}"

    def call(self, work: Callable[P, T], *args: P.args, **keys: P.kwargs) -> T:
        """Do something in it."""
        return self._thread.submit(work, *args, **keys).result(_PATIENCE_SECONDS)

    def run(self, *command: str) -> str:
        """Run a program in it; its output."""
        done = subprocess.run(
            ["nsenter", f"--net={self.path}", *command],
            capture_output=True,
            text=True,
            timeout=_PATIENCE_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
        return done.stdout

    def ip(self, *arguments: str) -> None:
        """Run `ip` in it."""
        self.run("ip", *arguments)

    def set_sysctl(self, name: str, value: str) -> None:
        """Set one of the kernel's variables of the namespace."""
        self.call(Path("/proc/sys", *name.split(".")).write_text, value)

    def socket(self, kind: socket.SocketKind) -> socket.socket:
        """A socket that belongs to it."""
        made = self.call(socket.socket, socket.AF_INET, kind)
        made.settimeout(_PATIENCE_SECONDS)
        return made


def join(one: NetworkNamespace, its_link: str, other: NetworkNamespace, other_link: str) -> None:
    """Lay a cable between two namespaces; both ends are up."""
    one.ip("link", "add", its_link, "type", "veth", "peer", "name", other_link, "netns", other.path)
    one.ip("link", "set", its_link, "up")
    other.ip("link", "set", other_link, "up")


class Server:
    """Answers over TCP and UDP on one port with its name and who asked: `name address`."""

    def __init__(self, namespace: NetworkNamespace, name: str, port: int) -> None:
        self.name = name
        self.asked = 0
        self._stopping = False
        self._stream = namespace.socket(socket.SOCK_STREAM)
        self._datagrams = namespace.socket(socket.SOCK_DGRAM)
        self._stream.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for one in (self._stream, self._datagrams):
            one.bind(("0.0.0.0", port))
            one.settimeout(0.1)
        self._stream.listen(64)
        self._threads = [threading.Thread(target=work) for work in (self._serve_stream, self._serve_datagrams)]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Answer no more."""
        self._stopping = True
        for thread in self._threads:
            thread.join()
        self._stream.close()
        self._datagrams.close()

    def _serve_stream(self) -> None:
        while not self._stopping:
            with contextlib.suppress(TimeoutError):
                connection, peer = self._stream.accept()
                with connection:
                    self.asked += 1
                    connection.sendall(f"{self.name} {peer[0]}".encode())

    def _serve_datagrams(self) -> None:
        while not self._stopping:
            with contextlib.suppress(TimeoutError):
                _, peer = self._datagrams.recvfrom(100)
                self.asked += 1
                self._datagrams.sendto(f"{self.name} {peer[0]}".encode(), peer)


def ask(namespace: NetworkNamespace, address: str, port: int, *, seconds: float = 5.0) -> tuple[str, str]:
    """Who answers over TCP, and whom they take us for.

    Raises:
        OSError: nobody does; ConnectionRefusedError where that is told.
    """
    with namespace.socket(socket.SOCK_STREAM) as one:
        one.settimeout(seconds)
        one.connect((address, port))
        name, _, seen = one.recv(100).decode().partition(" ")
        return name, seen


def ask_datagram(one: socket.socket, address: str, port: int, *, seconds: float = 5.0) -> tuple[str, str]:
    """Who answers over UDP, through a socket of a namespace, and whom they take us for.

    Raises:
        OSError: nobody does.
    """
    one.settimeout(seconds)
    one.sendto(b"?", (address, port))
    name, _, seen = one.recv(100).decode().partition(" ")
    return name, seen


@contextlib.contextmanager
def relay(namespace: NetworkNamespace, port: int) -> Iterator[None]:
    """Let those in a namespace reach a port of the host's loopback address under the same address."""
    listener = namespace.socket(socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.setblocking(False)
    loop = asyncio.new_event_loop()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError), contextlib.closing(writer):
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer):
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", port)
            with contextlib.closing(there_writer):
                await asyncio.gather(pump(reader, there_writer), pump(there_reader, writer))

    stop = asyncio.Event()

    async def serve() -> None:
        async with await asyncio.start_server(connected, sock=listener):
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.run_until_complete(_end_tasks(asyncio.all_tasks(loop)))
        loop.close()


async def _end_tasks(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Cancel what still relays, and let its connections close."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(0)  # transports close in the loop's next round
