"""Choosing ports to listen on."""

from __future__ import annotations

import socket
from contextlib import ExitStack

from kubewire.cluster.errors import InvalidRequest


def choose(address: str, wanted: dict[str, int | None], usual: dict[str, int]) -> dict[str, int]:
    """A port for each name: the wanted one, else the usual one if it is free, else any free one.

    All are held at once while choosing, so that no two names get the same.

    Raises:
        InvalidRequest: a wanted port is taken.
    """
    with ExitStack() as held:
        return {name: _choose(held, address, name, wanted[name], usual[name]) for name in wanted}


def _choose(held: ExitStack, address: str, name: str, wanted: int | None, usual: int) -> int:
    candidates = (usual, 0) if wanted is None else (wanted,)
    failure: OSError | None = None
    for port in candidates:
        holder = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            holder.bind((address, port))
        except OSError as error:
            failure = error
            continue
        return int(holder.getsockname()[1])
    raise InvalidRequest(
        f"--{name} {wanted}: {failure and failure.strerror} on {address}; choose another, or 0 for any free port"
    )
