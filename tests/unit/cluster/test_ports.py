"""Choosing ports: only binding, nothing listens."""

from __future__ import annotations

import socket

import pytest

from kubewire.cluster.errors import InvalidRequest
from kubewire.cluster.ports import Claim, choose, claim


def taken() -> socket.socket:
    """A listening socket, so that its port cannot be had."""
    holder = socket.socket()
    holder.bind(("127.0.0.1", 0))
    holder.listen()
    return holder


def close(claims: list[Claim]) -> None:
    """Give them up."""
    for one in claims:
        one.close()


def test_usual_port_gives_way() -> None:
    """If the usual port is taken, any free one is chosen."""
    with taken() as holder:
        busy = holder.getsockname()[1]
        chosen, claims = choose("127.0.0.1", {"secure-port": None}, {"secure-port": busy})
    close(claims)
    assert chosen["secure-port"] not in (0, busy)


def test_wanted_port_that_is_taken_is_an_error() -> None:
    """A port somebody asked for is not silently replaced."""
    with taken() as holder, pytest.raises(InvalidRequest, match=r"--secure-port .* choose another"):
        choose("127.0.0.1", {"secure-port": holder.getsockname()[1]}, {"secure-port": 6443})


def test_names_get_different_ports() -> None:
    """Ports chosen together differ."""
    chosen, claims = choose("127.0.0.1", {"secure-port": 0, "grpc-port": 0}, {"secure-port": 0, "grpc-port": 0})
    close(claims)
    assert chosen["secure-port"] != chosen["grpc-port"]


def test_claimed_port_is_taken_although_nobody_listens() -> None:
    """A port that one cluster has chosen is no other's, before it is listened on and while its owner is restarted."""
    first, claims = choose("127.0.0.1", {"grpc-port": None}, {"grpc-port": 0})
    second, more = choose("127.0.0.1", {"grpc-port": None}, {"grpc-port": first["grpc-port"]})
    assert first != second
    assert claim(first.values()) == []
    close(claims)
    again = claim(first.values())
    assert len(again) == 1
    close([*more, *again])
