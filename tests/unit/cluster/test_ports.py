"""Choosing ports: only binding, nothing listens."""

from __future__ import annotations

import socket

import pytest

from kubewire.cluster.errors import InvalidRequest
from kubewire.cluster.ports import choose


def taken() -> socket.socket:
    """A listening socket, so that its port cannot be had."""
    holder = socket.socket()
    holder.bind(("127.0.0.1", 0))
    holder.listen()
    return holder


def test_usual_port_gives_way() -> None:
    """If the usual port is taken, any free one is chosen."""
    with taken() as holder:
        busy = holder.getsockname()[1]
        chosen = choose("127.0.0.1", {"secure-port": None}, {"secure-port": busy})
    assert chosen["secure-port"] not in (0, busy)


def test_wanted_port_that_is_taken_is_an_error() -> None:
    """A port somebody asked for is not silently replaced."""
    with taken() as holder, pytest.raises(InvalidRequest, match=r"--secure-port .* choose another"):
        choose("127.0.0.1", {"secure-port": holder.getsockname()[1]}, {"secure-port": 6443})


def test_names_get_different_ports() -> None:
    """Ports chosen together differ."""
    chosen = choose("127.0.0.1", {"secure-port": 0, "grpc-port": 0}, {"secure-port": 0, "grpc-port": 0})
    assert chosen["secure-port"] != chosen["grpc-port"]
