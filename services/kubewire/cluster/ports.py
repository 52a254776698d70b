"""Choosing ports to listen on, so that clusters that start side by side do not choose the same.

A port is not listened on the moment it is chosen, and a component that is restarted gives it up for a while. So each
is claimed besides, by a socket with a name of its own in the kernel's abstract namespace: that leaves no file, and
ends with the last process that holds it, which is the cluster's supervisor.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack

from kubewire.cluster.errors import InvalidRequest

# Below the range from which the kernel takes ports of outgoing connections: one of those could be in the way of a
# component that is started again.
_ANY = range(20_000, 32_768)
_ATTEMPTS = 100

Claim = socket.socket


def choose(
    address: str, wanted: Mapping[str, int | None], usual: Mapping[str, int]
) -> tuple[dict[str, int], list[Claim]]:
    """A port for each name, and their claims: the wanted one, else the usual one if it is free, else any free one.

    All are held at once while choosing, so that no two names get the same.

    Raises:
        InvalidRequest: a wanted port is taken.
    """
    claims: list[Claim] = []
    with ExitStack() as held:
        ports = {
            name: _choose(held, claims, (address, name), _candidates(wanted[name], usual[name])) for name in wanted
        }
    return ports, claims


def claim(ports: Iterable[int]) -> list[Claim]:
    """Claims of ports that are the caller's already; those that somebody still holds are left out."""
    return [found for port in ports if (found := _claim(port)) is not None]


def _candidates(wanted: int | None, usual: int) -> Iterator[int]:
    if wanted:
        yield wanted
        return
    if wanted is None:
        yield usual
    for _ in range(_ATTEMPTS):
        yield random.choice(_ANY)  # noqa: S311  # nothing secret


def _choose(held: ExitStack, claims: list[Claim], asked: tuple[str, str], candidates: Iterator[int]) -> int:
    address, name = asked
    failure, port = "claimed by another cluster", 0
    for port in candidates:
        holder = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            holder.bind((address, port))
        except OSError as error:
            failure = str(error.strerror)
            continue
        if (found := _claim(port)) is not None:
            claims.append(found)
            return port
    raise InvalidRequest(f"--{name} {port}: {failure} on {address}; choose another, or 0 for any free port")


def _claim(port: int) -> Claim | None:
    claiming = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        claiming.bind(f"\0kubewire/port/{port}")
    except OSError:
        claiming.close()
        return None
    return claiming
