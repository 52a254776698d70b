"""Choosing the member to ask."""

from typing import cast

import pytest

from kubewire.apiserver.etcd.endpoint import Endpoint, Endpoints


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
