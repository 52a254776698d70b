"""A netlink socket to the kernel's netfilter: dumps, single requests, and batches that are done wholly or not at all.

The kernel works in `send`: when it returns, all answers wait to be received. So nothing here waits for anything but
the processor, and a socket belongs to the network namespace of the thread that made it, whoever uses it later.
"""

from __future__ import annotations

import errno
import socket
import struct
import sys
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from kubewire.kube_proxy.netlink.attributes import parse, text_of
from kubewire.kube_proxy.netlink.errors import Interrupted, Refused

REQUEST: Final = 0x1
ACK: Final = 0x4
DUMP: Final = 0x300
REPLACE: Final = 0x100
EXCL: Final = 0x200
CREATE: Final = 0x400
APPEND: Final = 0x800

_NETFILTER: Final = 12
_SOL_NETLINK: Final = 270
_CAP_ACK: Final = 10
_EXT_ACK: Final = 11
_SNDBUFFORCE: Final = 32
_RCVBUFFORCE: Final = 33

_ERROR: Final = 2
_DONE: Final = 3
_DUMP_INTERRUPTED: Final = 0x10
_ACK_TLVS: Final = 0x200
_EXT_ACK_TEXT: Final = 1
_BATCH_BEGIN: Final = 0x10
_BATCH_END: Final = 0x11

_HEADER: Final = struct.Struct("=IHHII")
_GENERIC: Final = struct.Struct(">BBH")
_RECEIVE_BYTES: Final = 1 << 18
_RECEIVE_BUFFER_BYTES: Final = 8 << 20
_SEND_BUFFER_BYTES: Final = 1 << 20


class Message(NamedTuple):
    """What is asked of, or told by, one part of netfilter."""

    kind: int
    """Subsystem in the high byte, the subsystem's own number in the low one."""
    flags: int
    family: int
    body: bytes


class NetfilterSocket:
    """Make it in the network namespace it is for. Not to be used by two threads at once."""

    def __init__(self) -> None:
        """Open it.

        Raises:
            OSError: the kernel has no netfilter, or this process may not use it.
        """
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETFILTER)
        try:
            self._socket.bind((0, 0))
            self._socket.setsockopt(_SOL_NETLINK, _CAP_ACK, 1)
            self._socket.setsockopt(_SOL_NETLINK, _EXT_ACK, 1)
            self._socket.setsockopt(socket.SOL_SOCKET, _RCVBUFFORCE, _RECEIVE_BUFFER_BYTES)
            self._sendable = 0
            self._make_sendable(_SEND_BUFFER_BYTES)
        except OSError:
            self._socket.close()
            raise
        self._sequence = 0

    @property
    def port(self) -> int:
        """What the kernel calls this socket when it tells others who changed something."""
        number: int = self._socket.getsockname()[0]
        return number

    def close(self) -> None:
        """Let it go."""
        self._socket.close()

    def dump(self, asked: Message) -> Iterator[Message]:
        """All that the kernel lists.

        Raises:
            Interrupted: what is listed changed meanwhile.
            Refused: there is no such thing, or it may not be read.
        """
        return iter(self._ask(asked._replace(flags=asked.flags | DUMP)))

    def ask(self, asked: Message) -> Sequence[Message]:
        """Send one request that is no part of a batch, and wait for its end.

        Raises:
            Refused: it was not done.
        """
        return self._ask(asked._replace(flags=asked.flags | ACK))

    def commit(self, subsystem: int, messages: Sequence[Message]) -> None:
        """Have all of it done at once.

        Raises:
            Refused: none of it was.
        """
        begin = self._packed(Message(_BATCH_BEGIN, 0, 0, b""), resource=subsystem)
        first = self._sequence + 1
        parts = [begin, *(self._packed(message) for message in messages[:-1])]
        parts.append(self._packed(messages[-1]._replace(flags=messages[-1].flags | ACK)))
        acknowledged = self._sequence
        parts.append(self._packed(Message(_BATCH_END, 0, 0, b""), resource=subsystem))
        self._send(b"".join(parts))
        confirmed = False
        for kind, _, sequence, body in self._received():
            if kind != _ERROR:
                continue
            number = _error_number(body)
            if number:
                self._drain()
                raise Refused(number, _what(messages, sequence - first) + _told(body))
            confirmed = confirmed or sequence == acknowledged
        if not confirmed:
            raise Refused(errno.EIO, "the kernel did not confirm a batch")

    def _ask(self, asked: Message) -> list[Message]:
        self._send(self._packed(asked))
        found: list[Message] = []
        while True:
            for kind, flags, _, body in self._parsed(self._socket.recv(_RECEIVE_BYTES)):
                if flags & _DUMP_INTERRUPTED:
                    self._drain()
                    raise Interrupted(errno.EINTR, f"reading {asked.kind:#x}")
                if kind == _DONE:
                    return found
                if kind == _ERROR:
                    number = _error_number(body)
                    if number:
                        raise Refused(number, f"message {asked.kind:#x}{_told(body)}")
                    return found
                found.append(Message(kind, flags, body[0], body[4:]))

    def _packed(self, message: Message, resource: int = 0) -> bytes:
        self._sequence += 1
        kind, flags, family, body = message
        size = 20 + len(body)
        return _HEADER.pack(size, kind, flags | REQUEST, self._sequence, 0) + _GENERIC.pack(family, 0, resource) + body

    def _send(self, data: bytes) -> None:
        self._make_sendable(len(data) + 4096)
        self._socket.send(data)

    def _make_sendable(self, size: int) -> None:
        """A batch has to fit the buffer as a whole."""
        if size > self._sendable:
            self._socket.setsockopt(socket.SOL_SOCKET, _SNDBUFFORCE, size)
            self._sendable = size

    def _received(self) -> Iterator[tuple[int, int, int, bytes]]:
        while True:
            try:
                data = self._socket.recv(_RECEIVE_BYTES, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            yield from self._parsed(data)

    def _drain(self) -> None:
        for _ in self._received():
            pass

    @staticmethod
    def _parsed(data: bytes) -> Iterator[tuple[int, int, int, bytes]]:
        """Type, flags, sequence and the rest of each message."""
        position = 0
        while position + 16 <= len(data):
            size, kind, flags, sequence, _ = _HEADER.unpack_from(data, position)
            body = data[position + 16 : position + size]
            if kind == _ERROR and not flags & _ACK_TLVS:
                body = body[:4]
            yield kind, flags, sequence, body
            position += (size + 3) & ~3


def _error_number(body: bytes) -> int:
    """0 for success."""
    return -int.from_bytes(body[:4], sys.byteorder, signed=True)


def _told(body: bytes) -> str:
    """What the kernel adds to an error in words: after the number and the header of the message it is about."""
    told = parse(body[20:]).get(_EXT_ACK_TEXT) if len(body) > 20 else None
    return f" ({text_of(told)})" if told else ""


def _what(messages: Sequence[Message], place: int) -> str:
    """Which message of a batch."""
    if 0 <= place < len(messages):
        return f"message {place + 1} of {len(messages)}, kind {messages[place].kind:#x}"
    return f"a batch of {len(messages)} messages"
