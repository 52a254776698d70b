"""IP addresses and ranges, and the addresses no endpoint may have."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from kubewire.apiserver.validation.checks import Problems
from kubewire.machinery.field_errors import invalid
from kubewire.machinery.field_path import Path

NOT_AN_ADDRESS = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
NOT_A_RANGE = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"

_LINK_MULTICAST = (IPv4Network("224.0.0.0/24"), IPv6Network("ff02::/16"))


def parsed_address(text: str) -> IPv4Address | IPv6Address | None:
    """The address a text stands for, or None."""
    try:
        return None if "%" in text else ip_address(text)
    except ValueError:
        return None


def parsed_range(text: str) -> IPv4Network | IPv6Network | None:
    """The range a text stands for, or None; bits behind the prefix may be set."""
    try:
        return ip_network(text, strict=False) if "/" in text else None
    except ValueError:
        return None


def check_address(text: str, path: Path, problems: Problems) -> None:
    """An address of either family."""
    if parsed_address(text) is None:
        problems.append(invalid(path, text, NOT_AN_ADDRESS))


def check_range_of_addresses(text: str, path: Path, problems: Problems) -> None:
    """A range of either family."""
    if parsed_range(text) is None:
        problems.append(invalid(path, text, NOT_A_RANGE))


def check_unspecial(text: str, path: Path, problems: Problems) -> None:
    """Not an address that means another thing on every machine."""
    address = parsed_address(text)
    if address is None:
        problems.append(invalid(path, text, NOT_AN_ADDRESS))
        return
    what = ""
    if address.is_unspecified:
        what = f"unspecified ({text})"
    elif address.is_loopback:
        what = "in the loopback range (127.0.0.0/8, ::1/128)"
    elif address.is_link_local:
        what = "in the link-local range (169.254.0.0/16, fe80::/10)"
    elif any(address in network for network in _LINK_MULTICAST if network.version == address.version):
        what = "in the link-local multicast range (224.0.0.0/24, ff02::/10)"
    if what:
        problems.append(invalid(path, text, f"may not be {what}"))
