"""Which endpoints take connections."""

from kubewire.kube_proxy.desired.endpoints import endpoints_of, takers
from tests.kube_proxy_tables import NODE, slice_of

ENDPOINTS = """
10.0.0.1 n1 serving terminating
10.0.0.2 n1
10.0.1.1 n2 ready serving
"""


def test_takers() -> None:
    """The ready ones of all nodes, or those of this node that serve still if it has no ready one."""
    [found] = endpoints_of([slice_of("web", ENDPOINTS)], NODE).values()
    assert [str(one) for one in takers(found)] == ["10.0.1.1:8080"]
    assert [str(one) for one in takers(found, only_local=True)] == ["10.0.0.1:8080"]


def test_by_port() -> None:
    """Endpoints stand under the name and protocol of their port; a port without a number is nobody's."""
    one = slice_of("web", ENDPOINTS, port_name="http")
    one.ports.add(name="late", protocol="TCP")
    assert list(endpoints_of([one], NODE)) == [("http", "TCP")]


def test_a_node_without_a_name_has_no_endpoints() -> None:
    """An endpoint that is on no node is not local to a proxy that does not know its own."""
    one = slice_of("web", "10.0.0.1 n1 ready")
    one.endpoints[0].ClearField("nodeName")
    [found] = endpoints_of([one], "").values()
    assert not found[0].target.is_local
