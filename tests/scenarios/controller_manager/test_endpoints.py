"""What becomes of a Service's Endpoints, told in tables."""

import pytest

from kubewire.api.core.v1.endpoints_pb2 import EndpointAddress, Endpoints
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.api.core.v1.service_pb2 import Service
from kubewire.controller_manager.endpoints.plan import ADDRESSES_AT_MOST, Act, Observed, plan
from tests.scenarios.controller_manager.pods import pods

OURS = "endpoints.kubernetes.io/managed-by"


def service(*, target: int | str = 8080, headless: bool = False, not_ready: bool = False) -> Service:
    """A Service `web` with one port, http."""
    made = Service()
    made.metadata.name, made.metadata.namespace = "web", "default"
    made.metadata.labels["tier"] = "front"
    made.spec.selector["app"] = "web"
    made.spec.clusterIP = "None" if headless else "10.96.0.9"
    made.spec.publishNotReadyAddresses = not_ready
    port = made.spec.ports.add(name="http", protocol="TCP", port=80)
    if isinstance(target, str):
        port.targetPort.type, port.targetPort.strVal = 1, target
    else:
        port.targetPort.intVal = target
    return made


def addressed(text: str) -> list[Pod]:
    """The pods of a table, with addresses 10.0.0.1 and so on."""
    found = pods(text)
    for number, pod in enumerate(found, 1):
        pod.status.podIP = f"10.0.{number // 250}.{number % 250}"
    return found


THREE = """
name  node  phase      ready  going
a     n1    Running    yes    -
b     n2    Running    no     -
c     n1    Running    yes    yes
d     n1    Succeeded  -      -
"""


def written(wanted: Service, there: list[Pod], current: Endpoints | None = None) -> Endpoints:
    """The Endpoints that are written."""
    made = plan(Observed(wanted, there, current))
    assert made.act is (Act.CREATE if current is None else Act.UPDATE)
    assert made.endpoints is not None
    return made.endpoints


def told(made: Endpoints) -> list[str]:
    """Subsets in words: addresses, those that are not ready, ports."""

    def names(addresses: list[EndpointAddress]) -> str:
        return " ".join(f"{one.targetRef.name}@{one.nodeName}:{one.ip}" for one in addresses)

    return [
        f"{names(list(one.addresses))} | {names(list(one.notReadyAddresses))} | "
        + " ".join(f"{port.name}/{port.port}/{port.protocol}" for port in one.ports)
        for one in made.subsets
    ]


def test_endpoints() -> None:
    """Ready pods and others apart; those that go or have ended are not told."""
    made = written(service(), addressed(THREE))
    assert told(made) == ["a@n1:10.0.0.1 | b@n2:10.0.0.2 | http/8080/TCP"]
    assert (made.metadata.name, made.metadata.namespace) == ("web", "default")
    assert dict(made.metadata.labels) == {"tier": "front", OURS: "endpoint-controller"}


def test_not_ready_ones_can_be_published() -> None:
    """Then those that go are told too."""
    made = written(service(not_ready=True), addressed(THREE))
    assert told(made) == ["a@n1:10.0.0.1 b@n2:10.0.0.2 c@n1:10.0.0.3 |  | http/8080/TCP"]


def test_named_ports_differ_by_pod() -> None:
    """Each set of ports is a subset; pods without the port are in none."""
    there = addressed("name node ready\na n1 yes\nb n1 yes\nc n1 yes")
    there[0].spec.containers.add(name="web").ports.add(name="http", containerPort=9000)
    there[1].spec.containers.add(name="web").ports.add(name="http", containerPort=8000)
    made = written(service(target="http"), there)
    assert told(made) == ["b@n1:10.0.0.2 |  | http/8000/TCP", "a@n1:10.0.0.1 |  | http/9000/TCP"]


def test_headless() -> None:
    """It is labelled, and has addresses without ports if it has no ports."""
    bare = service(headless=True)
    del bare.spec.ports[:]
    made = written(bare, addressed("name node ready\na n1 yes"))
    assert told(made) == ["a@n1:10.0.0.1 |  | "]
    assert made.metadata.labels["service.kubernetes.io/headless"] == ""


def test_nothing_changes_nothing_is_written() -> None:
    """Not even for Endpoints without addresses, nor when only the order of pods differs."""
    there = addressed(THREE)
    for some in (there, []):
        made = written(service(), some)
        assert plan(Observed(service(), list(reversed(some)), made, "2026-01-01T00:00:00Z")).act is Act.NOTHING


def test_changes_are_dated() -> None:
    """What is written tells since when it is true; a write nobody knows the time of takes an old time away."""
    key = "endpoints.kubernetes.io/last-change-trigger-time"
    made = plan(Observed(service(), addressed(THREE), None, "2026-01-01T00:00:00Z")).endpoints
    assert made is not None
    assert made.metadata.annotations[key] == "2026-01-01T00:00:00Z"
    assert key not in written(service(), [], made).metadata.annotations


def test_foreign_changes_are_undone_and_the_version_is_kept() -> None:
    """So that a write of somebody else in between is noticed."""
    made = written(service(), addressed(THREE))
    made.metadata.resourceVersion = "7"
    made.metadata.labels["tier"] = "back"
    del made.subsets[:]
    again = written(service(), addressed(THREE), made)
    assert (again.metadata.resourceVersion, again.metadata.labels["tier"]) == ("7", "front")
    assert len(again.subsets) == 1


def test_too_many_addresses() -> None:
    """Ready ones stay; the object says that it does not tell all, until it does."""
    rows = [f"p{number} {'no' if number < 100 else 'yes'}" for number in range(ADDRESSES_AT_MOST + 50)]
    made = written(service(), addressed("name ready\n" + "\n".join(rows)))
    [subset] = made.subsets
    assert (len(subset.addresses), len(subset.notReadyAddresses)) == (ADDRESSES_AT_MOST - 50, 50)
    assert made.metadata.annotations["endpoints.kubernetes.io/over-capacity"] == "truncated"
    assert not written(service(), addressed(THREE), made).metadata.annotations


@pytest.mark.parametrize("is_ours", [True, False])
def test_a_service_that_is_gone(*, is_ours: bool) -> None:
    """Its Endpoints go with it, unless somebody else made them."""
    made = written(service(), addressed(THREE))
    if not is_ours:
        del made.metadata.labels[OURS]
    assert plan(Observed(None, [], made)).act is (Act.DELETE if is_ours else Act.NOTHING)
    assert plan(Observed(None, [], None)).act is Act.NOTHING


def test_without_a_selector_they_are_somebody_elses() -> None:
    """So are those of ExternalName Services."""
    bare, external = service(), service()
    bare.spec.selector.clear()
    external.spec.type = "ExternalName"
    for one in (bare, external):
        assert plan(Observed(one, addressed(THREE), None)).act is Act.NOTHING


def test_the_first_family_counts() -> None:
    """Endpoints are of one family, that of the Service's first address."""
    both = service()
    both.spec.ipFamilies.extend(["IPv6", "IPv4"])
    there = addressed("name node ready\na n1 yes")
    for ip in ("10.0.0.1", "fd00::1"):
        there[0].status.podIPs.add(ip=ip)
    assert told(written(both, there)) == ["a@n1:fd00::1 |  | http/8080/TCP"]
