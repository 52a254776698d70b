"""Ports on which load balancers ask for one Service."""

import asyncio
import urllib.error
import urllib.request

from kubewire.kube_proxy.desired.services import HealthCheck
from kubewire.kube_proxy.health.node_health import NodeHealth
from kubewire.kube_proxy.health.ports import ServicePorts
from tests.etcd_process import find_free_ports


class Healthy:
    """Progress of a proxy that has nothing to do."""

    last_synced = 1.0
    waiting_since = None


def status(port: int) -> int | None:
    """What a page answers with; None if nobody listens."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except urllib.error.URLError:
        return None


async def test_ports_come_and_go() -> None:
    """Every Service that asks has its port, with what is true now; nobody listens on those of others."""
    health = NodeHealth(Healthy, lambda: None, 60, clock=lambda: 0.0, wall_clock=lambda: 0.0)
    ports = ServicePorts(health, "127.0.0.1")
    one, other = find_free_ports(2)
    first = HealthCheck(one, "default", "a", 1)
    await ports.serve([first, HealthCheck(other, "default", "b", 0)])
    assert [await asyncio.to_thread(status, port) for port in (one, other)] == [200, 503]
    await ports.serve([first._replace(local_targets=0)])
    assert [await asyncio.to_thread(status, port) for port in (one, other)] == [503, None]
    ports.close()
    assert await asyncio.to_thread(status, one) is None


async def test_a_port_that_is_taken() -> None:
    """A port that somebody else has does no harm to others, and is taken when it is free."""
    health = NodeHealth(Healthy, lambda: None, 60, clock=lambda: 0.0, wall_clock=lambda: 0.0)
    ports, others = ServicePorts(health, "127.0.0.1"), ServicePorts(health, "127.0.0.1")
    one, other = find_free_ports(2)
    await others.serve([HealthCheck(one, "default", "a", 0)])
    checks = [HealthCheck(one, "default", "a", 1), HealthCheck(other, "default", "b", 1)]
    await ports.serve(checks)
    assert [await asyncio.to_thread(status, port) for port in (one, other)] == [503, 200]
    others.close()
    await ports.serve(checks)
    assert await asyncio.to_thread(status, one) == 200
    ports.close()
