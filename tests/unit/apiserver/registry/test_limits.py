"""Requests beyond the limit are turned away, but never the administrator's."""

import pytest

from kubewire.apiserver.auth.authentication import as_member
from kubewire.apiserver.registry.limits import InFlight
from kubewire.machinery.errors import StatusError


def test_the_limit_holds_until_someone_leaves() -> None:
    """At the limit a request gets 429 with a time to come back; masters are let in; leaving makes room."""
    in_flight = InFlight(1)
    user, master = as_member("x"), as_member("root", groups=["system:masters"])
    with in_flight.admit(user):
        with pytest.raises(StatusError) as raised:
            in_flight.admit(user)
        with in_flight.admit(master):
            assert in_flight.count == 2
    assert (raised.value.code, raised.value.retry_after_seconds) == (429, 1)
    with pytest.raises(RuntimeError), in_flight.admit(user):
        raise RuntimeError
    assert in_flight.count == 0
