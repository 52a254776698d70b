"""What becomes of a Service's slices, told in tables."""

import pytest

from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.api.core.v1.service_pb2 import Service
from kubewire.api.discovery.v1.endpoint_slice_pb2 import Endpoint, EndpointSlice
from kubewire.controller_manager.endpoint_slice.plan import Observed, Plan, plan
from kubewire.controller_manager.endpoint_slice.trigger_times import ANNOTATION
from tests.scenarios.controller_manager.pods import pods

ZONES = {"n1": "east", "n2": "west"}


def service(*, target: int | str = 8080, headless: bool = False, not_ready: bool = False) -> Service:
    """A Service `web` with one port, http."""
    made = Service()
    made.metadata.name, made.metadata.namespace, made.metadata.uid = "web", "default", "u1"
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


def many(count: int, first: int = 0) -> list[Pod]:
    """Ready pods, p0 and so on."""
    return addressed("name ready\n" + "\n".join(f"p{number} yes" for number in range(count)))[first:]


def told(one: Endpoint) -> str:
    """An endpoint in words."""
    conditions = one.conditions
    words = [name for name in ("ready", "serving", "terminating") if getattr(conditions, name)]
    return " ".join([one.targetRef.name, *one.addresses, one.nodeName, one.zone, *words])


def applied(slices: list[EndpointSlice], made: Plan) -> list[EndpointSlice]:
    """The slices after a plan was performed."""
    by_name = {one.metadata.name: one for one in slices}
    for one in made.delete:
        del by_name[one.metadata.name]
    for one in made.update:
        by_name[one.metadata.name] = one
    for one in made.create:
        one.metadata.name = f"s{len(by_name)}-{one.metadata.generateName}"
        by_name[one.metadata.name] = one
    return list(by_name.values())


def sizes(slices: list[EndpointSlice]) -> list[int]:
    """How many endpoints each has."""
    return sorted(len(one.endpoints) for one in slices)


def test_endpoints() -> None:
    """Each pod with an address is told with its node, zone and conditions; ended ones are not."""
    there = addressed(
        """
        name  node  phase      ready  going
        a     n1    Running    yes    -
        b     n2    Running    no     -
        c     n1    Running    yes    yes
        d     n1    Succeeded  -      -
        """
    )
    [made] = plan(Observed(service(), there, ZONES, [])).create
    assert [told(one) for one in made.endpoints] == [
        "a 10.0.0.1 n1 east ready serving",
        "b 10.0.0.2 n2 west",
        "c 10.0.0.3 n1 east serving terminating",
    ]
    assert [(port.name, port.protocol, port.port) for port in made.ports] == [("http", "TCP", 8080)]
    assert made.addressType == "IPv4"
    assert dict(made.metadata.labels) == {
        "tier": "front",
        "kubernetes.io/service-name": "web",
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
    }
    [owner] = made.metadata.ownerReferences
    assert (owner.kind, owner.uid, owner.controller) == ("Service", "u1", True)


def test_not_ready_ones_can_be_published() -> None:
    """With publishNotReadyAddresses every endpoint counts as ready."""
    [made] = plan(Observed(service(not_ready=True), addressed("name ready\na no"), ZONES, [])).create
    assert told(made.endpoints[0]) == "a 10.0.0.1 n1 east ready"


def test_named_ports_differ_by_pod() -> None:
    """A named port is looked up in each pod: different numbers make different slices, pods without it are in none."""
    there = addressed("name ready\na yes\nb yes\nc yes")
    there[0].spec.containers.add(name="web").ports.add(name="http", containerPort=8000)
    there[1].spec.containers.add(name="web").ports.add(name="http", containerPort=9000)
    made = plan(Observed(service(target="http"), there, ZONES, [])).create
    assert sorted((one.ports[0].port, one.endpoints[0].targetRef.name) for one in made) == [(8000, "a"), (9000, "b")]


def test_nobody() -> None:
    """A Service without pods has one empty slice, which stays when asked again, and fills up when a pod comes."""
    slices = applied([], plan(Observed(service(), [], ZONES, [])))
    assert sizes(slices) == [0]
    assert plan(Observed(service(), [], ZONES, slices)) == Plan()
    slices = applied(slices, plan(Observed(service(), many(1), ZONES, slices)))
    assert sizes(slices) == [1]


@pytest.mark.parametrize(
    ("why", "before", "after", "writes", "result"),
    [
        ("nothing changes, nothing is written", 3, 3, (0, 0, 0), [3]),
        ("a slice takes a hundred", 0, 250, (3, 0, 1), [50, 100, 100]),
        ("one more goes where there is room", 150, 151, (0, 1, 0), [51, 100]),
        ("one less changes one slice", 150, 149, (0, 1, 0), [49, 100]),
        ("a slice that empties goes", 101, 100, (0, 0, 1), [100]),
        ("what does not fit gets a slice", 100, 101, (1, 0, 0), [1, 100]),
    ],
)
def test_few_writes(why: str, before: int, after: int, writes: tuple[int, int, int], result: list[int]) -> None:
    """Created, updated and deleted slices are as few as can be."""
    slices = applied([], plan(Observed(service(), many(before), ZONES, [])))
    made = plan(Observed(service(), many(after), ZONES, slices))
    assert (len(made.create), len(made.update), len(made.delete)) == writes, why
    slices = applied(slices, made)
    assert sizes(slices) == result
    assert plan(Observed(service(), many(after), ZONES, slices)) == Plan()


def test_foreign_changes_are_undone() -> None:
    """Labels and endpoints somebody changed come back."""
    slices = applied([], plan(Observed(service(), many(2), ZONES, [])))
    slices[0].metadata.labels["tier"] = "back"
    del slices[0].endpoints[0]
    slices = applied(slices, plan(Observed(service(), many(2), ZONES, slices)))
    assert slices[0].metadata.labels["tier"] == "front"
    assert sizes(slices) == [2]


def test_without_a_selector_it_is_somebody_elses() -> None:
    """Slices of Services without a selector, and of ExternalName ones, are left alone."""
    bare, external = service(), service()
    bare.spec.selector.clear()
    external.spec.type = "ExternalName"
    slices = [EndpointSlice(addressType="IPv4")]
    for one in (bare, external):
        assert plan(Observed(one, many(2), ZONES, slices)) == Plan()


def test_two_families() -> None:
    """A Service of both families has slices of both, and loses those of a family it gives up."""
    both = service()
    both.spec.ipFamilies.extend(["IPv4", "IPv6"])
    there = many(1)
    for ip in ("10.0.0.1", "fd00::1"):
        there[0].status.podIPs.add(ip=ip)
    slices = applied([], plan(Observed(both, there, ZONES, [])))
    assert sorted((one.addressType, one.endpoints[0].addresses[0]) for one in slices) == [
        ("IPv4", "10.0.0.1"),
        ("IPv6", "fd00::1"),
    ]
    slices = applied(slices, plan(Observed(service(), there, ZONES, slices)))
    assert [one.addressType for one in slices] == ["IPv4"]


def test_changes_are_dated() -> None:
    """What is written tells since when it is true; a write nobody knows the time of takes an old time away."""
    made = plan(Observed(service(), many(1), ZONES, [], triggered="2026-01-01T00:00:00Z"))
    slices = applied([], made)
    assert slices[0].metadata.annotations[ANNOTATION] == "2026-01-01T00:00:00Z"
    slices = applied(slices, plan(Observed(service(), many(2), ZONES, slices)))
    assert ANNOTATION not in slices[0].metadata.annotations
    assert len(slices[0].endpoints) == 2
