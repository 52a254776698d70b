"""Port-forward: one TCP connection to a port inside a pod's network.

A socket belongs to the network namespace that its thread was in when it was made. So a thread of its own enters the
pod's namespace, makes the socket, and ends; everything else happens on the loop.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from kubewire.kubelet.streams.calls import drain
from kubewire.machinery import errors
from kubewire.rpc.core.v1.pod_service_pb2 import PortForwardPodRequest, PortForwardPodResponse

if TYPE_CHECKING:
    from kubewire.kubelet.containerd.tasks import Tasks
    from kubewire.kubelet.contracts import PodsOnNode
    from kubewire.kubelet.streams.calls import StreamCall

_CLONE_NEWNET: Final = 0x40000000
_CHUNK_BYTES: Final = 64 * 1024
_CONNECT_SECONDS: Final = 10.0
_LOOPBACKS: Final = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))


class PortStreams:
    """Serves PortForward."""

    def __init__(self, pods: PodsOnNode, tasks: Tasks) -> None:
        self._pods = pods
        self._tasks = tasks

    async def serve(self, call: StreamCall[PortForwardPodRequest]) -> None:
        """Carry bytes between the caller and the port until the pod's end closes or the caller leaves.

        Raises:
            StatusError: there is no such pod, or nobody listens.
            RuntimeCallError: the pod's sandbox is not there.
        """
        request = call.first
        if len(request.options.ports) != 1:
            raise errors.bad_request("a call forwards one port")
        port = request.options.ports[0]
        sandbox = self._pods.sandbox(request.namespace, request.name)
        process = await self._tasks.process(sandbox.id)
        try:
            connection = await _connected(f"/proc/{process.pid}/ns/net", port)
        except OSError as error:
            raise errors.internal(
                f"error forwarding port {port} to pod {sandbox.id}, uid {sandbox.pod_uid}: failed to connect to "
                f"localhost:{port} inside the pod: {error}"
            ) from None
        with connection:
            await call.accept()
            await _carry(call, connection)


async def _carry(call: StreamCall[PortForwardPodRequest], connection: socket.socket) -> None:
    async with asyncio.TaskGroup() as group:
        feeding = group.create_task(_feed(call, connection))
        loop = asyncio.get_running_loop()
        with suppress(OSError):  # reset: the end
            while data := await loop.sock_recv(connection, _CHUNK_BYTES):
                await call.write(PortForwardPodResponse(data=data))
        await call.write(PortForwardPodResponse(end=True))
        await drain(feeding)


async def _feed(call: StreamCall[PortForwardPodRequest], connection: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    is_open = True
    async for message in call:
        try:
            if message.data and is_open:
                await loop.sock_sendall(connection, message.data)
        except OSError:
            is_open = False  # the reading side sees it too; the rest is dropped
    with suppress(OSError):
        connection.shutdown(socket.SHUT_WR)


async def _connected(namespace: str, port: int) -> socket.socket:
    """A connection to the port at loopback in the namespace, IPv4 or else IPv6.

    Raises:
        OSError: neither accepts one.
    """
    loop = asyncio.get_running_loop()
    failures: list[str] = []
    for family, address in _LOOPBACKS:
        found = await asyncio.to_thread(_socket_in, namespace, family)
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                await loop.sock_connect(found, (address, port))
        except OSError as error:  # TimeoutError is one
            found.close()
            failures.append(f"{address}: {os.strerror(error.errno) if error.errno else 'no answer'}")
        except BaseException:
            found.close()
            raise
        else:
            return found
    raise OSError(", ".join(failures))


def _socket_in(namespace: str, family: socket.AddressFamily) -> socket.socket:
    """A socket of another network namespace, made by a thread that lives no longer than that.

    Raises:
        OSError: the namespace is gone, or may not be entered.
    """
    made: list[socket.socket | OSError] = []

    def make() -> None:
        try:
            _enter(namespace)
            made.append(socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK))
        except OSError as error:
            made.append(error)

    thread = threading.Thread(target=make, name="socket-in-namespace")
    thread.start()
    thread.join()
    result = made[0]
    if isinstance(result, OSError):
        raise result
    return result


def _enter(namespace: str) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    fd = os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.setns(fd, _CLONE_NEWNET):
            number = ctypes.get_errno()
            raise OSError(number, f"{namespace}: {os.strerror(number)}")
    finally:
        os.close(fd)
