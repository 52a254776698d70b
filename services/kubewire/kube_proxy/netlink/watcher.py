"""Hears what is changed in nf_tables, and by whom: so that a table need not be read because another one changed."""

from __future__ import annotations

import errno
import socket
import struct
from typing import Final

from kubewire.kube_proxy.netlink.attributes import be32_of, iterate, text_of
from kubewire.kube_proxy.netlink.tables import SUBSYSTEM

_NETFILTER: Final = 12
_SOL_NETLINK: Final = 270
_JOIN: Final = 1
_CHANGES: Final = 7
_RCVBUFFORCE: Final = 33
_RECEIVE_BUFFER_BYTES: Final = 4 << 20
_RECEIVE_BYTES: Final = 1 << 18
_HEADER: Final = struct.Struct("=IHHII")
_NEW_GENERATION: Final = SUBSYSTEM << 8 | 15
_FIRST_ATTRIBUTE: Final = 20


class ChangeWatcher:
    """Make it in the network namespace it is for; it hears of changes from then on.

    Attributes:
        generation: up to which changes were heard of, 0: of none yet.
        is_touched: whether anybody but ourselves changed the table, or may have; whoever reads the table resets it.
    """

    def __init__(self, table: str, family: int, own_port: int) -> None:
        """Listen. `own_port` sends changes that do not count.

        Raises:
            OSError: there is no nf_tables, or no right to listen.
        """
        self.generation = 0
        self.is_touched = False
        self._table = table
        self._family = family
        self._own_port = own_port
        self._socket = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK, _NETFILTER
        )
        try:
            self._socket.bind((0, 0))
            self._socket.setsockopt(socket.SOL_SOCKET, _RCVBUFFORCE, _RECEIVE_BUFFER_BYTES)
            self._socket.setsockopt(_SOL_NETLINK, _JOIN, _CHANGES)
        except OSError:
            self._socket.close()
            raise

    def close(self) -> None:
        """Hear no more."""
        self._socket.close()

    def listen(self) -> None:
        """Take in what was told since the last time; waits for nothing."""
        while True:
            try:
                data = self._socket.recv(_RECEIVE_BYTES)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                # More was told than we could keep: anything may have happened.
                self.is_touched = True
                continue
            self._take(data)

    def _take(self, data: bytes) -> None:
        position = 0
        while position + _FIRST_ATTRIBUTE <= len(data):
            size, kind, _, _, port = _HEADER.unpack_from(data, position)
            body = data[position + _FIRST_ATTRIBUTE : position + size]
            if kind == _NEW_GENERATION:
                self.generation = be32_of(_first(body))
            elif port != self._own_port and kind >> 8 == SUBSYSTEM and data[position + 16] == self._family:
                self.is_touched = self.is_touched or text_of(_first(body)) == self._table
            position += (size + 3) & ~3


def _first(body: bytes) -> bytes:
    """The value of type 1: the number of a generation, or the name of the table something is in."""
    return next((value for kind, value in iterate(body) if kind == 1), bytes(4))
