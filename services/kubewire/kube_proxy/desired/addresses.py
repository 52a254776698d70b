"""What can be programmed at all. The API server lets nothing else in, but one rule that cannot be would hold up all."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address
from typing import Final

PROTOCOLS: Final = frozenset(("TCP", "UDP", "SCTP"))


@lru_cache(1 << 16)
def is_ipv4(address: str) -> bool:
    """Whether it is an IPv4 address, in the one form that all programs read alike."""
    try:
        return str(IPv4Address(address)) == address
    except AddressValueError:
        return False


def is_port(number: int) -> bool:
    """Whether it is the number of a port."""
    return 0 < number < 1 << 16
