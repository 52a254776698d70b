"""Choosing the member to ask."""

import ssl
from typing import cast

import pytest

from kubewire.apiserver.etcd.endpoint import Endpoint, Endpoints, _target
from kubewire.apiserver.etcd.http2.channel import Target
from kubewire.apiserver.etcd.options import EtcdOptions


class Member:
    """A member that is never called."""


def endpoints(count: int) -> Endpoints:
    """So many members."""
    return Endpoints([cast("Endpoint", Member()) for _ in range(count)])


def test_one_is_kept_until_it_fails() -> None:
    """The current member changes only when it is left, and in turn."""
    members = endpoints(3)
    first = members.current
    assert members.current is first
    members.leave(first)
    second = members.current
    assert second is not first
    members.leave(second)
    members.leave(members.current)
    assert members.current is first


def test_leaving_twice() -> None:
    """Many calls that fail on one member leave it once: the next one is not passed over."""
    members = endpoints(2)
    first = members.current
    members.leave(first)
    members.leave(first)
    assert members.current is not first


def test_none() -> None:
    """A client without members says what is missing."""
    with pytest.raises(ValueError, match="at least one is needed"):
        Endpoints([])


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("127.0.0.1:2379", Target(host="127.0.0.1", port=2379)),
        ("http://etcd.example:2379/", Target(host="etcd.example", port=2379)),
        ("http://[::1]:2379", Target(host="::1", port=2379)),
        ("unix:///run/etcd.sock", Target(path="/run/etcd.sock")),
        ("unix://localhost:2379", Target(path="localhost:2379")),
    ],
)
def test_urls(url: str, target: Target) -> None:
    """A member's URL tells where it listens."""
    assert _target(url, EtcdOptions()) == target


@pytest.mark.parametrize(
    "url", ["", "etcd", "etcd:", ":2379", "http://", "http://etcd:0", "http://etcd:65536", "http://etcd:²", "unix://"]
)
def test_urls_that_are_none(url: str) -> None:
    """A URL without host, port or path says what it should look like."""
    with pytest.raises(ValueError, match="such as"):
        _target(url, EtcdOptions())


def test_tls() -> None:
    """Over TLS the member has to show a certificate for its name."""
    trust = _target("https://etcd:2379", EtcdOptions()).trust
    assert trust is not None
    assert (trust.check_hostname, trust.verify_mode) == (True, ssl.CERT_REQUIRED)
