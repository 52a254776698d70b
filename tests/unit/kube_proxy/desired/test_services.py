"""Which rules a Service and its endpoints ask for, told in words."""

import pytest

from kubewire.kube_proxy.desired.model import Frontend
from kubewire.kube_proxy.desired.services import HealthCheck, Settings, proxied
from tests.kube_proxy_tables import NODE, all_told, lines, service, slice_of

HERE_AND_THERE = """
10.0.0.1 n1 ready serving
10.0.1.1 n2 ready serving
"""
ONLY_THERE = "10.0.1.1 n2 ready serving"
SETTINGS = Settings(NODE)


def told_of(description: str, endpoints: str, settings: Settings = SETTINGS) -> list[str]:
    """The rules of a Service in words."""
    return all_told(proxied(service(description), [slice_of("web", endpoints)], settings).rules)


@pytest.mark.parametrize(
    ("why", "description", "endpoints", "expected"),
    [
        (
            "a cluster IP goes to all that are ready, wherever they are",
            "web 10.96.0.1 80",
            HERE_AND_THERE,
            "TCP 10.96.0.1:80 -> 10.0.0.1:8080* 10.0.1.1:8080 outside",
        ),
        (
            "those that are not ready, or end, get nothing while others are ready",
            "web 10.96.0.1 80",
            "10.0.0.1 n1 ready serving\n10.0.0.2 n1\n10.0.0.3 n1 serving terminating",
            "TCP 10.96.0.1:80 -> 10.0.0.1:8080* outside",
        ),
        (
            "if nobody is ready, those that end but serve still do",
            "web 10.96.0.1 80",
            "10.0.0.2 n1 terminating\n10.0.0.3 n2 serving terminating\n10.0.0.4 n2 serving",
            "TCP 10.96.0.1:80 -> 10.0.0.3:8080 outside",
        ),
        (
            "without endpoints connections are refused, at the node port too",
            "web 10.96.0.1 80 node=30080",
            "10.0.0.2 n1",
            "TCP *:30080 reject\nTCP 10.96.0.1:80 reject",
        ),
        (
            "a node port goes to all, through the node",
            "web 10.96.0.1 80 node=30080",
            HERE_AND_THERE,
            """
            TCP *:30080 -> 10.0.0.1:8080* 10.0.1.1:8080 always
            TCP 10.96.0.1:80 -> 10.0.0.1:8080* 10.0.1.1:8080 outside
            """,
        ),
        (
            "an external policy of Local keeps those outside on this node, and shows who they are",
            "web 10.96.0.1 80 node=30080 external=Local",
            HERE_AND_THERE,
            """
            TCP *:30080 -> 10.0.0.1:8080* never
            TCP *:30080 from inside -> 10.0.0.1:8080* 10.0.1.1:8080 outside
            TCP 10.96.0.1:80 -> 10.0.0.1:8080* 10.0.1.1:8080 outside
            """,
        ),
        (
            "and lets them try another node if this one has nobody",
            "web 10.96.0.1 80 node=30080 external=Local",
            ONLY_THERE,
            """
            TCP *:30080 drop
            TCP *:30080 from inside -> 10.0.1.1:8080 outside
            TCP 10.96.0.1:80 -> 10.0.1.1:8080 outside
            """,
        ),
        (
            "but refuses them if nobody has anybody",
            "web 10.96.0.1 80 node=30080 external=Local",
            "",
            "TCP *:30080 reject\nTCP 10.96.0.1:80 reject",
        ),
        (
            "local endpoints that end but serve still do for Local, although others are ready elsewhere",
            "web 10.96.0.1 80 node=30080 external=Local",
            "10.0.0.1 n1 serving terminating\n10.0.1.1 n2 ready serving",
            """
            TCP *:30080 -> 10.0.0.1:8080* never
            TCP *:30080 from inside -> 10.0.1.1:8080 outside
            TCP 10.96.0.1:80 -> 10.0.1.1:8080 outside
            """,
        ),
        (
            "an internal policy of Local goes to this node's own",
            "web 10.96.0.1 80 internal=Local",
            HERE_AND_THERE,
            "TCP 10.96.0.1:80 -> 10.0.0.1:8080* outside",
        ),
        (
            "and to nobody if there is none",
            "web 10.96.0.1 80 internal=Local",
            ONLY_THERE,
            "TCP 10.96.0.1:80 drop",
        ),
        (
            "session affinity has its time",
            "web 10.96.0.1 80 affinity=100",
            ONLY_THERE,
            "TCP 10.96.0.1:80 -> 10.0.1.1:8080 outside affinity=100",
        ),
        (
            "and three hours if none is said",
            "web 10.96.0.1 80 affinity=0",
            ONLY_THERE,
            "TCP 10.96.0.1:80 -> 10.0.1.1:8080 outside affinity=10800",
        ),
        (
            "external addresses are served like node ports, on the Service's port",
            "web 10.96.0.1 80 address=192.0.2.1 type=LoadBalancer ingress=192.0.2.2",
            ONLY_THERE,
            """
            TCP 10.96.0.1:80 -> 10.0.1.1:8080 outside
            TCP 192.0.2.1:80 -> 10.0.1.1:8080 always
            TCP 192.0.2.2:80 -> 10.0.1.1:8080 always
            """,
        ),
        ("other proxies' Services are theirs", "web 10.96.0.1 80 proxy=other", ONLY_THERE, ""),
        ("headless ones have no address", "web None 80", ONLY_THERE, ""),
        ("nor have those whose address is still to come", "web  80 type=ExternalName", ONLY_THERE, ""),
    ],
)
def test_rules(why: str, description: str, endpoints: str, expected: str) -> None:
    """One Service, its endpoints, and what comes of them."""
    if description.startswith("web  "):
        made = service("web 10.96.0.1 80 type=ExternalName")
        assert not proxied(made, [slice_of("web", endpoints)], SETTINGS).rules, why
        return
    assert told_of(description, endpoints) == sorted(lines(expected)), why


def test_everything_can_be_masqueraded() -> None:
    """With masquerade_all connections of pods to cluster IPs come from the node too."""
    told = told_of("web 10.96.0.1 80", ONLY_THERE, SETTINGS._replace(masquerade_all=True))
    assert told == ["TCP 10.96.0.1:80 -> 10.0.1.1:8080 always"]


def test_ports_by_name() -> None:
    """A port goes to endpoints whose port has its name and protocol; others have none."""
    made = service("web 10.96.0.1 80/http 443/https")
    slices = [
        slice_of("web", ONLY_THERE, port=8080, port_name="http"),
        slice_of("web", "10.0.0.1 n1 ready serving", port=8443, port_name="https", protocol="UDP"),
    ]
    found = proxied(made, slices, SETTINGS).rules
    assert all_told(found) == ["TCP 10.96.0.1:443 reject", "TCP 10.96.0.1:80 -> 10.0.1.1:8080 outside"]
    assert {one.service for one in found} == {"default/web:http", "default/web:https"}


def test_an_endpoint_in_two_slices_counts_once() -> None:
    """While an endpoint moves from slice to slice it may stand in both: the ready one is believed."""
    slices = [slice_of("web", "10.0.1.1 n2 ready serving"), slice_of("web", "10.0.1.1 n2", number=2)]
    for order in (slices, slices[::-1]):
        [one] = proxied(service("web 10.96.0.1 80"), order, SETTINGS).rules
        assert len(one.targets) == 1


def test_conditions_that_are_not_told() -> None:
    """Ready unless said otherwise, and serving if ready."""
    one = slice_of("web", "10.0.1.1 n2")
    one.endpoints[0].ClearField("conditions")
    [found] = proxied(service("web 10.96.0.1 80"), [one], SETTINGS).rules
    assert [str(target) for target in found.targets] == ["10.0.1.1:8080"]


def test_ipv6_is_left_out() -> None:
    """Addresses and slices of the other family are passed over."""
    made = service("web 10.96.0.1 80")
    made.spec.clusterIPs.append("fd00::1")
    one = slice_of("web", "fd00::2 n1 ready serving")
    one.addressType = "IPv6"
    [found] = proxied(made, [one], SETTINGS).rules
    assert (found.frontend, found.targets) == (Frontend("10.96.0.1", "TCP", 80), ())


def test_what_cannot_be_programmed_is_left_out() -> None:
    """Addresses, ports and protocols that are none do not hold up what is right."""
    made = service("web 10.96.0.1 80 0/zero 70000/large 81/odd node=70000 address=10.1")
    made.spec.ports[3].protocol = "ICMP"
    slices = [
        slice_of("web", f"{ONLY_THERE}\n10.0.1.01 n2 ready\n10.0.1 n2 ready\nhost n2 ready"),
        slice_of("web", ONLY_THERE, port=70000, number=2),
    ]
    assert all_told(proxied(made, slices, SETTINGS).rules) == ["TCP 10.96.0.1:80 -> 10.0.1.1:8080 outside"]


def test_source_ranges_close_a_load_balancer() -> None:
    """An address that only some may reach is left out rather than opened to all."""
    made = service("web 10.96.0.1 80 type=LoadBalancer ingress=192.0.2.2")
    made.spec.loadBalancerSourceRanges.append("10.0.0.0/8")
    assert all_told(proxied(made, [], SETTINGS).rules) == ["TCP 10.96.0.1:80 reject"]


def test_health_checks() -> None:
    """A load balancer that goes to local endpoints only is told how many there are."""
    made = service("web 10.96.0.1 80 node=30080 type=LoadBalancer external=Local check=32000")
    assert proxied(made, [slice_of("web", HERE_AND_THERE)], SETTINGS).health_check == HealthCheck(
        32000, "default", "web", 1
    )
    made.spec.externalTrafficPolicy = "Cluster"
    assert proxied(made, [slice_of("web", HERE_AND_THERE)], SETTINGS).health_check is None
