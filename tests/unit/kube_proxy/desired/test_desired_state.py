"""What a change of one Service changes."""

from kubewire.client.objects import ObjectKey
from kubewire.kube_proxy.desired.desired_state import DesiredState
from kubewire.kube_proxy.desired.services import NOTHING, Proxied, Settings, proxied
from tests.kube_proxy_tables import NODE, all_told, rule, service, slice_of

A, B = ObjectKey("default", "a"), ObjectKey("default", "b")
FIRST = rule("TCP 192.0.2.1:80 -> 10.0.0.1:8080 always")
SECOND = rule("TCP 192.0.2.1:80 -> 10.0.0.2:8080 always")
OTHER = rule("TCP 10.96.0.1:80 -> 10.0.0.1:8080 outside")


def test_what_a_change_touches() -> None:
    """Frontends that a Service had and has are told; others are not."""
    state = DesiredState()
    assert state.put(A, Proxied((FIRST, OTHER))) == {FIRST.frontend, OTHER.frontend}
    assert state.put(A, Proxied((OTHER,))) == {FIRST.frontend, OTHER.frontend}
    assert all_told(state.rules.values()) == all_told([OTHER])
    assert state.put(A, NOTHING) == {OTHER.frontend}
    assert not state.rules
    assert not state.services


def test_two_services_ask_for_one_address() -> None:
    """The first by name has it, whoever came first, and the other gets it when that one goes."""
    state = DesiredState()
    state.put(B, Proxied((SECOND,)))
    state.put(A, Proxied((FIRST,)))
    assert state.rules[FIRST.frontend] is FIRST
    state.put(B, Proxied((SECOND,)))
    assert state.rules[FIRST.frontend] is FIRST
    assert state.put(A, NOTHING) == {FIRST.frontend}
    assert state.rules[FIRST.frontend] is SECOND


def test_health_checks_come_and_go() -> None:
    """A Service's health check stands as long as it asks for one."""
    state = DesiredState()
    made = service("web 10.96.0.1 80 type=LoadBalancer external=Local check=32000")
    state.put(A, proxied(made, [slice_of("web", "10.0.0.1 n1 ready")], Settings(NODE)))
    assert [check.local_targets for check in state.health_checks.values()] == [1]
    state.put(A, NOTHING)
    assert not state.health_checks
