"""Requests beyond the limit are turned away, but never the administrator's."""

import pytest

from kubewire.apiserver.auth.authentication import as_member
from kubewire.apiserver.contracts import Call
from kubewire.apiserver.registry.limits import InFlight
from kubewire.machinery.errors import StatusError
from tests.unit.apiserver.registry.cluster import resource


def test_the_limit_holds_until_someone_leaves() -> None:
    """At the limit a request gets 429 with a time to come back; masters are let in; leaving makes room."""
    in_flight = InFlight(1)
    user = Call(as_member("x"), resource("pods"))
    master = Call(as_member("root", groups=["system:masters"]), resource("pods"))
    with in_flight.admit(user):
        with pytest.raises(StatusError) as raised:
            in_flight.admit(user)
        with in_flight.admit(master):
            assert in_flight.count == 2
    assert (raised.value.code, raised.value.retry_after_seconds) == (429, 1)
    with pytest.raises(RuntimeError), in_flight.admit(user):
        raise RuntimeError
    assert in_flight.count == 0


def test_leases_of_components_are_never_turned_away() -> None:
    """Those of nodes and of leaders; what else they do waits like all other requests."""
    full = InFlight(0)
    node = as_member("system:node:n", groups=["system:nodes"])
    for identity in (node, as_member("system:kube-scheduler"), as_member("system:kube-controller-manager")):
        with full.admit(Call(identity, resource("leases.coordination.k8s.io"))):
            pass
        with pytest.raises(StatusError, match="too many requests"):
            full.admit(Call(identity, resource("pods")))
    with pytest.raises(StatusError, match="too many requests"):
        full.admit(Call(as_member("joe"), resource("leases.coordination.k8s.io")))
