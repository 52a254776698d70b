"""Addresses that are fixed by the range of Services, apart from the objects that hold them."""

from __future__ import annotations

from ipaddress import IPv4Network


def service_address(service_addresses: str) -> str:
    """The address of the `kubernetes` Service: the first of the range."""
    return str(IPv4Network(service_addresses)[1])
