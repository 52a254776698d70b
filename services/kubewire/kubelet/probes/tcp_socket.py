"""`tcpSocket`: a connection that can be made is a success."""

from __future__ import annotations

import asyncio
import os

from kubewire.api.core.v1.container_pb2 import Container
from kubewire.api.core.v1.probe_pb2 import TCPSocketAction
from kubewire.kubelet.probes.ports import host_and_port, port_number
from kubewire.kubelet.probes.reply import SUCCESS, Reply, failure


async def tcp_socket(action: TCPSocketAction, container: Container, pod_ip: str, timeout_seconds: float) -> Reply:
    """Connect, and close again.

    Raises:
        ProbeError: the port has no number.
    """
    host, port = action.host or pod_ip, port_number(action.port, container)
    try:
        async with asyncio.timeout(timeout_seconds):
            transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, host, port)
    except TimeoutError:
        return failure(f"dial tcp {host_and_port(host, port)}: not connected within {timeout_seconds:g}s")
    except ValueError as error:
        return failure(f"dial tcp {host_and_port(host, port)}: {error}")
    except OSError as error:
        why = os.strerror(error.errno).lower() if error.errno and error.errno > 0 else str(error)
        is_refused = isinstance(error, ConnectionRefusedError)
        return failure(f"dial tcp {host_and_port(host, port)}: connect: {why}", refused=is_refused)
    transport.close()
    return SUCCESS
