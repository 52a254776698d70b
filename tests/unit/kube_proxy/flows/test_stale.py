"""Which connections go where no rule would send them."""

from kubewire.kube_proxy.desired.model import Frontend
from kubewire.kube_proxy.flows.stale import stale, udp_frontends
from kubewire.kube_proxy.netlink.conntrack import Flow
from tests.kube_proxy_tables import rules

RULES = rules("""
    UDP 10.96.0.1:53 -> 10.244.0.1:53 outside
    UDP 10.96.0.2:53 reject
    UDP *:30053 -> 10.244.0.1:53 never
    UDP *:30053 from inside -> 10.244.0.2:53 outside
""")


def flow(asked: str, answering: str) -> Flow:
    """A connection to one address and port that another answers."""
    (address, _, port), (other, _, other_port) = asked.rpartition(":"), answering.rpartition(":")
    return Flow((address, int(port)), (other, int(other_port)), asked.encode())


def found(*flows: Flow) -> list[str]:
    """Those that are stale, of all frontends."""
    return [one.identity.decode() for one in stale(flows, udp_frontends(RULES), RULES)]


def test_targets_that_are_there() -> None:
    """Connections to present targets stay, of those outside and of those inside."""
    assert not found(
        flow("10.96.0.1:53", "10.244.0.1:53"),
        flow("192.168.0.1:30053", "10.244.0.1:53"),
        flow("192.168.0.1:30053", "10.244.0.2:53"),
    )


def test_targets_that_went() -> None:
    """Connections to others go, and so do those of a Service that has none, or had none when they were made."""
    assert found(
        flow("10.96.0.1:53", "10.244.0.9:53"),
        flow("10.96.0.2:53", "10.244.0.1:53"),
        flow("10.96.0.1:53", "10.96.0.1:53"),
        flow("192.168.0.1:30053", "10.244.0.9:53"),
    ) == ["10.96.0.1:53", "10.96.0.2:53", "10.96.0.1:53", "192.168.0.1:30053"]


def test_what_is_nobodys_business() -> None:
    """Other addresses and ports stay, the same port number of another machine included."""
    assert not found(
        flow("10.96.0.1:54", "10.244.0.9:53"),
        flow("10.96.0.9:53", "10.244.0.9:53"),
        flow("192.0.2.1:30053", "192.0.2.1:30053"),
    )


def test_only_datagrams_are_looked_at() -> None:
    """TCP connections end by themselves."""
    places = udp_frontends([Frontend("10.96.0.1", "TCP", 80), Frontend("10.96.0.1", "UDP", 53)])
    assert places == {("10.96.0.1", 53)}
