"""kube-proxy as a process, with a real API server: a Service that is created works, and its rules outlive the proxy."""

import asyncio
import json
import random
import re
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from kubewire.api.core.v1.service_pb2 import Service
from kubewire.api.discovery.v1.endpoint_slice_pb2 import EndpointSlice
from kubewire.client.client import Client
from kubewire.client.transport.grpc_transport import GrpcTransport
from kubewire.client.transport.options import GrpcOptions
from tests.apiserver_process import ApiServerProcess, running_apiserver
from tests.integration.kube_proxy.conftest import NODE_ADDRESS, POD_NETWORK, Network
from tests.kube_proxy_process import KubeProxyProcess, running_kube_proxy
from tests.network_namespaces import NetworkNamespace, ask

PATIENCE_SECONDS = 20.0
GRPCURL = str(Path(sys.executable).with_name("grpcurl"))


@pytest.fixture
def apiserver(etcd: str, tmp_path: Path) -> Iterator[ApiServerProcess]:
    """A fresh cluster."""
    with running_apiserver(tmp_path / "apiserver", etcd) as server:
        yield server


@pytest.fixture
def proxy(apiserver: ApiServerProcess, network: Network, tmp_path: Path) -> Iterator[KubeProxyProcess]:
    """The node's proxy, with quick checks."""
    flags = (f"--cluster-cidr={POD_NETWORK}", "--check-seconds=0.1")
    with running_kube_proxy(tmp_path / "kube-proxy", apiserver, network.node, *flags) as process:
        yield process


@asynccontextmanager
async def client_of(apiserver: ApiServerProcess) -> AsyncIterator[Client]:
    """An admin's client."""
    transport = GrpcTransport(
        GrpcOptions(endpoints=(apiserver.grpc,), ca_file=apiserver.ca, token=apiserver.token, user_agent="test/1.0")
    )
    try:
        yield Client(transport)
    finally:
        await transport.close()


def service(name: str, node_port: int = 0) -> Service:
    """A Service of one named TCP port."""
    made = Service()
    made.metadata.name, made.metadata.namespace = name, "default"
    made.spec.ports.add(name="http", port=80, protocol="TCP", nodePort=node_port)
    made.spec.type = "NodePort" if node_port else "ClusterIP"
    return made


def slice_of(name: str, *addresses: str) -> EndpointSlice:
    """Ready endpoints of a Service, on port 8080 of this node's pods."""
    made = EndpointSlice(addressType="IPv4")
    made.metadata.name, made.metadata.namespace = f"{name}-1", "default"
    made.metadata.labels["kubernetes.io/service-name"] = name
    made.ports.add(name="http", port=8080, protocol="TCP")
    for address in addresses:
        made.endpoints.add(addresses=[address], nodeName="n1").conditions.ready = True
    return made


async def eventually(holds: Callable[[], bool]) -> None:
    """Wait until something holds; an OSError says that it does not yet."""

    def looks_so() -> bool:
        try:
            return holds()
        except OSError:
            return False

    deadline = time.monotonic() + PATIENCE_SECONDS
    while not await asyncio.to_thread(looks_so):
        assert time.monotonic() < deadline, "it did not come to hold"
        await asyncio.sleep(0.02)


def who_answers(namespace: NetworkNamespace, address: str, port: int = 80, times: int = 16) -> set[str]:
    """Names of those that answer some connections."""
    return {ask(namespace, address, port, seconds=2)[0] for _ in range(times)}


def get(namespace: NetworkNamespace, port: int, path: str) -> tuple[int, str]:
    """Fetch a page of the loopback address of a namespace."""
    with namespace.socket(socket.SOCK_STREAM) as one:
        one.connect(("127.0.0.1", port))
        one.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        data = b""
        while received := one.recv(1 << 16):
            data += received
    head, _, body = data.partition(b"\r\n\r\n")
    return int(head.split()[1]), body.decode()


async def test_a_service_works(apiserver: ApiServerProcess, proxy: KubeProxyProcess, network: Network) -> None:
    """A Service is served at its cluster IP and node port, by the endpoints it has and no others, until it goes."""
    async with client_of(apiserver) as client:
        made = await client.resource(Service, namespace="default").create(service("web", 30080))
        address = made.spec.clusterIP
        a, b = network.addresses["a"], network.addresses["b"]
        slices = client.resource(EndpointSlice, namespace="default")
        stored = await slices.create(slice_of("web", a, b))
        await eventually(lambda: who_answers(network.client, address) == {"a", "b"})
        assert who_answers(network.outside, NODE_ADDRESS, 30080) == {"a", "b"}
        del stored.endpoints[1]
        stored = await slices.update(stored)
        await eventually(lambda: who_answers(network.client, address) == {"a"})
        proxy.kill()
        assert who_answers(network.client, address) == {"a"}
        stored.endpoints[0].addresses[0] = b
        await slices.update(stored)
        before = network.node.run("nft", "-a", "list", "table", "ip", "kubewire")
        proxy.start()
        await eventually(lambda: who_answers(network.client, address) == {"b"})
        after = network.node.run("nft", "-a", "list", "table", "ip", "kubewire")
        assert _chains(before) == _chains(after)
        await client.resource(Service, namespace="default").delete("web")
        await eventually(lambda: address not in network.node.run("nft", "list", "table", "ip", "kubewire"))
    assert proxy.stop() == 0
    assert "kubewire" in network.node.run("nft", "list", "tables")
    assert proxy.clean_up() == 0
    assert "kubewire" not in network.node.run("nft", "list", "tables")


async def test_rules_that_others_remove_come_back(
    apiserver: ApiServerProcess, proxy: KubeProxyProcess, network: Network
) -> None:
    """Whatever somebody does to the table, what is desired is programmed again soon."""
    async with client_of(apiserver) as client:
        address = (await client.resource(Service, namespace="default").create(service("web"))).spec.clusterIP
        await client.resource(EndpointSlice, namespace="default").create(slice_of("web", network.addresses["a"]))
        await eventually(lambda: who_answers(network.client, address) == {"a"})
        for harm in ("delete table ip kubewire", "flush chain ip kubewire services", "flush map ip kubewire endpoints"):
            network.node.run("nft", *harm.split())
            await eventually(lambda: who_answers(network.client, address) == {"a"})


async def test_it_tells_of_itself(apiserver: ApiServerProcess, proxy: KubeProxyProcess, network: Network) -> None:
    """Health, mode and metrics are served, and change with what happens."""
    assert get(network.node, proxy.ports["metrics"], "/proxyMode") == (200, "nftables")
    await eventually(lambda: get(network.node, proxy.ports["metrics"], "/readyz")[0] == 200)
    code, body = get(network.node, proxy.ports["healthz"], "/healthz")
    assert (code, json.loads(body)["nodeEligible"]) == (200, True)
    async with client_of(apiserver) as client:
        address = (await client.resource(Service, namespace="default").create(service("web"))).spec.clusterIP
        await client.resource(EndpointSlice, namespace="default").create(slice_of("web", network.addresses["a"]))
        await eventually(lambda: who_answers(network.client, address) == {"a"})
    metrics = get(network.node, proxy.ports["metrics"], "/metrics")[1]
    assert 'kubeproxy_sync_proxy_rules_duration_seconds_count{ip_family="IPv4"}' in metrics
    assert 'kubeproxy_proxy_healthz_total{code="200"} 1' in metrics


def _chains(listing: str) -> list[str]:
    """Chains and rules with their handles, which change when they are made anew."""
    return [line.strip() for line in listing.splitlines() if "# handle" in line]


async def test_killed_at_any_moment(apiserver: ApiServerProcess, proxy: KubeProxyProcess, network: Network) -> None:
    """A proxy that is killed again and again while Services come and go ends up with what there is in the end."""
    count = 60
    async with client_of(apiserver) as client:
        services = client.resource(Service, namespace="default")
        slices = client.resource(EndpointSlice, namespace="default")

        async def change() -> None:
            for number in range(count):
                await services.create(service(f"web{number}"))
                await slices.create(slice_of(f"web{number}", network.addresses["a"], network.addresses["b"]))
                if number % 3 == 0:
                    await services.delete(f"web{number}")
                await asyncio.sleep(0.03)

        async with asyncio.TaskGroup() as group:
            changes = group.create_task(change())
            while not changes.done():
                await asyncio.sleep(random.uniform(0.05, 0.3))
                proxy.kill()
                await asyncio.to_thread(proxy.start)
        left = [one.spec.clusterIP async for one in services.list() if one.metadata.name.startswith("web")]
        assert len(left) == count * 2 // 3

        def programmed() -> set[str]:
            shown = network.node.run("nft", "list", "map", "ip", "kubewire", "services")
            return set(re.findall(r"(10\.96\.\d+\.\d+) \. tcp \. 80", shown))

        await eventually(lambda: programmed() == set(left))
        assert who_answers(network.client, left[-1]) == {"a", "b"}


async def test_its_own_service(apiserver: ApiServerProcess, proxy: KubeProxyProcess, network: Network) -> None:
    """Rules desired and programmed can be asked for with grpcurl, found by reflection, and nothing differs."""
    async with client_of(apiserver) as client:
        address = (await client.resource(Service, namespace="default").create(service("web"))).spec.clusterIP
        await client.resource(EndpointSlice, namespace="default").create(slice_of("web", network.addresses["a"]))
        await eventually(lambda: who_answers(network.client, address) == {"a"})

    def call(method: str, **request: str) -> Any:  # noqa: ANN401 - JSON of any message
        at = f"127.0.0.1:{proxy.ports['grpc']}"
        name = f"kubewire.kube_proxy.v1.KubeProxyService/{method}"
        return json.loads(network.node.run(GRPCURL, "-plaintext", "-d", json.dumps(request), at, name))

    [rule] = call("ListDesiredRules", namespace="default", name="web")["rules"]
    assert rule["targets"] == [{"address": network.addresses["a"], "port": 8080, "local": True}]
    [programmed] = call("ListProgrammedRules", namespace="default", name="web")["rules"]
    assert abs(programmed.pop("programmed_at") - time.time()) < PATIENCE_SECONDS
    assert programmed == rule
    assert call("GetDifference") == {}
    assert call("GetStatus")["mode"] == "nftables"
    health = network.node.run(GRPCURL, "-plaintext", f"127.0.0.1:{proxy.ports['grpc']}", "grpc.health.v1.Health/Check")
    assert json.loads(health) == {"status": "SERVING"}
