"""Expressions of nf_tables rules: small instructions over sixteen registers of four bytes. Pure.

A rule is a list of them, done in order; one that does not hold ends the rule. Registers are counted from 0; what is
longer than four bytes takes the following ones too, so that a key of several fields is loaded field by field.
"""

from __future__ import annotations

import struct
from typing import Final

from kubewire.kube_proxy.netlink.attributes import attribute, be32, be64, nested, text

_FIRST_REGISTER: Final = 8
_VERDICT_REGISTER: Final = 0
_NETWORK_HEADER, _TRANSPORT_HEADER = 1, 2
_META_MARK, _META_OUTPUT, _META_L4_PROTOCOL = 3, 5, 16
_CT_STATE: Final = 0
_EQUAL, _NOT_EQUAL = 0, 1
_DNAT: Final = 1
_FULLY_RANDOM: Final = 0x10
_BY_CHANCE: Final = 1
_ADDRESS_TYPE: Final = 3
_OF_SOURCE, _OF_DESTINATION = 1, 2
_PORT_UNREACHABLE: Final = 3
_TCP_RESET: Final = 1
_UPDATE: Final = 1


def native(value: int) -> bytes:
    """A number as registers hold those that are no part of a packet."""
    return struct.pack("=I", value)


LOCAL: Final = native(2)
"""The type of an address of this machine."""

LOOPBACK: Final = native(1)
"""The first interface of every network namespace."""


def source_address(register: int) -> bytes:
    """Load the IPv4 source address."""
    return _payload(register, _NETWORK_HEADER, 12, 4)


def destination_address(register: int) -> bytes:
    """Load the IPv4 destination address."""
    return _payload(register, _NETWORK_HEADER, 16, 4)


def destination_port(register: int) -> bytes:
    """Load the destination port, whatever the protocol."""
    return _payload(register, _TRANSPORT_HEADER, 2, 2)


def protocol(register: int) -> bytes:
    """Load the number of the transport protocol."""
    return _expression("meta", be32(1, _register(register)), be32(2, _META_L4_PROTOCOL))


def mark(register: int) -> bytes:
    """Load the packet's mark."""
    return _expression("meta", be32(1, _register(register)), be32(2, _META_MARK))


def set_mark(register: int) -> bytes:
    """Set the packet's mark."""
    return _expression("meta", be32(2, _META_MARK), be32(3, _register(register)))


def way_out(register: int) -> bytes:
    """Load the number of the interface the packet leaves by; see `LOOPBACK`."""
    return _expression("meta", be32(1, _register(register)), be32(2, _META_OUTPUT))


def connection_state(register: int) -> bytes:
    """Load the bits of the connection's state."""
    return _expression("ct", be32(1, _register(register)), be32(2, _CT_STATE))


def load(register: int, value: bytes) -> bytes:
    """Load a constant."""
    return _expression("immediate", be32(1, _register(register)), _data(2, value))


def by_chance(register: int, below: int) -> bytes:
    """Load a random number from 0 on."""
    return _expression("numgen", be32(1, _register(register)), be32(2, below), be32(3, _BY_CHANCE), be32(4, 0))


def masked(register: int, mask: bytes, flipped: bytes) -> bytes:
    """Keep the bits of `mask` in a register, then flip those of `flipped`."""
    number = _register(register)
    return _expression(
        "bitwise", be32(1, number), be32(2, number), be32(3, len(mask)), _data(4, mask), _data(5, flipped)
    )


def equals(register: int, value: bytes) -> bytes:
    """Go on if a register holds this."""
    return _expression("cmp", be32(1, _register(register)), be32(2, _EQUAL), _data(3, value))


def differs(register: int, value: bytes) -> bytes:
    """Go on if a register holds something else."""
    return _expression("cmp", be32(1, _register(register)), be32(2, _NOT_EQUAL), _data(3, value))


def is_in(name: str, register: int) -> bytes:
    """Go on if a set has the key that begins in a register."""
    return _expression("lookup", text(1, name), be32(2, _register(register)))


def found_in(name: str, register: int, result: int) -> bytes:
    """Go on if a map has the key, with its data loaded from register `result` on."""
    return _expression("lookup", text(1, name), be32(2, _register(register)), be32(3, _register(result)))


def go_where(name: str, register: int) -> bytes:
    """Do what a verdict map says about the key, if it has it."""
    return _expression("lookup", text(1, name), be32(2, _register(register)), be32(3, _VERDICT_REGISTER))


def remember(name: str, key: int, seconds: int) -> bytes:
    """Have a set hold a key for so long from now. A set that is full takes no more, which ends the rule."""
    return _expression("dynset", text(1, name), be32(3, _UPDATE), be32(4, _register(key)), be64(6, seconds * 1000))


def type_of_source(register: int) -> bytes:
    """Load what kind of address the source is; see `LOCAL`."""
    return _address_type(register, _OF_SOURCE)


def type_of_destination(register: int) -> bytes:
    """Load what kind of address the destination is; see `LOCAL`."""
    return _address_type(register, _OF_DESTINATION)


def redirect(family: int, address: int, port: int) -> bytes:
    """Send the connection to address and port in two registers instead."""
    return _expression("nat", be32(1, _DNAT), be32(2, family), be32(3, _register(address)), be32(5, _register(port)))


def masquerade() -> bytes:
    """Have the connection come from this machine, from a port chosen at random."""
    return _expression("masq", be32(1, _FULLY_RANDOM))


def refuse() -> bytes:
    """Answer that nothing listens there, by ICMP."""
    return _expression("reject", be32(1, 0), attribute(2, bytes((_PORT_UNREACHABLE,))))


def reset() -> bytes:
    """Answer that nothing listens there, as TCP does."""
    return _expression("reject", be32(1, _TCP_RESET))


def verdict(code: int, chain: str = "") -> bytes:
    """Drop, or jump to a chain."""
    parts = be32(1, code) + (text(2, chain) if chain else b"")
    return _expression("immediate", be32(1, _VERDICT_REGISTER), nested(2, nested(2, parts)))


def _payload(register: int, base: int, offset: int, size: int) -> bytes:
    return _expression("payload", be32(1, _register(register)), be32(2, base), be32(3, offset), be32(4, size))


def _address_type(register: int, whose: int) -> bytes:
    number = be32(1, _register(register))
    return _expression("fib", number, be32(2, _ADDRESS_TYPE), be32(3, whose))


def _expression(name: str, *parts: bytes) -> bytes:
    return text(1, name) + nested(2, *parts)


def _data(kind: int, value: bytes) -> bytes:
    return nested(kind, attribute(1, value))


def _register(number: int) -> int:
    return _FIRST_REGISTER + number
