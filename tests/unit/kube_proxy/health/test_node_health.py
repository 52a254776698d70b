"""What load balancers are told."""

import json
from dataclasses import dataclass

from kubewire.api.core.v1.node_pb2 import Node
from kubewire.component.metrics.registry import Registry
from kubewire.kube_proxy.desired.services import HealthCheck
from kubewire.kube_proxy.health.node_health import NodeHealth
from kubewire.kube_proxy.health.ports import HealthzServer
from kubewire.kube_proxy.metrics import KubeProxyMetrics

CHECK = HealthCheck(32000, "default", "web", 2)


@dataclass
class Told:
    """Progress of a proxy."""

    last_synced: float = 990.0
    waiting_since: float | None = None


def health(told: Told | None, node: Node | None = None) -> NodeHealth:
    """At 100 by the clock, 1000 of Unix time; changes may wait for 60 s."""
    return NodeHealth(lambda: told, lambda: node, 60, clock=lambda: 100.0, wall_clock=lambda: 1000.0)


def code(told: Told | None, node: Node | None = None, *, with_node: bool = True) -> int:
    """The status of the page."""
    return health(told, node).page(with_node=with_node).code


def test_healthy_while_changes_are_programmed_soon() -> None:
    """Nothing waits, or not for long."""
    assert code(Told()) == 200
    assert code(Told(waiting_since=41)) == 200
    assert code(Told(waiting_since=39)) == 503


def test_not_healthy_before_the_first_time() -> None:
    """A proxy that has programmed nothing serves nobody."""
    assert code(None) == 503
    assert code(Told(last_synced=0)) == 503


def test_a_node_on_its_way_out() -> None:
    """It gets no new connections from outside, but its proxy lives."""
    node = Node()
    assert code(Told(), node) == 200
    node.spec.taints.add(key="ToBeDeletedByClusterAutoscaler")
    assert code(Told(), node) == 503
    assert code(Told(), node, with_node=False) == 200
    going = Node()
    going.metadata.deletionTimestamp.seconds = 1
    assert code(Told(), going) == 503


def test_the_page() -> None:
    """Times are as Kubernetes writes them."""
    told = json.loads(health(Told()).page(with_node=True).body)
    assert told == {
        "lastUpdated": "1970-01-01T00:16:30Z",
        "currentTime": "1970-01-01T00:16:40Z",
        "nodeEligible": True,
    }


def test_one_service() -> None:
    """A Service is healthy here if it has targets here and the proxy works."""
    answer = health(Told()).service_page(CHECK)
    assert answer.code == 200
    assert json.loads(answer.body) == {
        "service": {"namespace": "default", "name": "web"},
        "localEndpoints": 2,
        "serviceProxyHealthy": True,
    }
    assert health(Told()).service_page(CHECK._replace(local_targets=0)).code == 503
    assert health(None).service_page(CHECK).code == 503


def test_pages_by_name() -> None:
    """`/healthz` and `/livez` are answered and counted; others are not found."""
    registry = Registry()
    server = HealthzServer(health(Told()), KubeProxyMetrics(registry))
    assert server.answer("GET", "/healthz?x=1").code == 200
    assert server.answer("HEAD", "/livez").code == 200
    assert server.answer("GET", "/metrics").code == 404
    assert server.answer("POST", "/healthz").code == 405
    text = registry.render().decode()
    assert 'kubeproxy_proxy_healthz_total{code="200"} 1' in text
    assert 'kubeproxy_proxy_livez_total{code="200"} 1' in text
