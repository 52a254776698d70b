"""Where a probe connects to: a container's ports by name or number."""

from __future__ import annotations

from kubewire.api.core.v1.container_pb2 import Container
from kubewire.api.intstr.intstr_pb2 import IntOrString
from kubewire.kubelet.probes.reply import ProbeError

_STRING = 1


def port_number(port: IntOrString, container: Container) -> int:
    """The number of a port.

    Raises:
        ProbeError: the container has no port of that name, or there can be none of that number.
    """
    if port.type != _STRING:
        return valid_port(port.intVal)
    for named in container.ports:
        if named.name == port.strVal:
            return valid_port(named.containerPort)
    if port.strVal.isdecimal():
        return valid_port(int(port.strVal))
    raise ProbeError(f"container {container.name} has no port named {port.strVal!r}")


def valid_port(number: int) -> int:
    """The number, if a port can have it.

    Raises:
        ProbeError: it cannot.
    """
    if not 0 < number < 1 << 16:
        raise ProbeError(f"invalid port number: {number}")
    return number


def host_and_port(host: str, port: int) -> str:
    """As URLs and messages have it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
