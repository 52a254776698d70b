"""What Services are given, and give back."""

import asyncio
from contextlib import suppress
from random import Random

import pytest

from kubewire.apiserver.options import WriteOptions
from kubewire.apiserver.registry.allocation.ports import NodePorts, PortRange, PortsExhausted
from kubewire.apiserver.storage.memory import MemoryStore
from kubewire.machinery.errors import StatusError
from tests.unit.apiserver.registry.cluster import Cluster, Json

ADDRESSES = "ipaddresses.networking.k8s.io"


def service(name: str, **spec: object) -> Json:
    """A Service with one port."""
    return {"metadata": {"name": name}, "spec": {"ports": [{"port": 80}], "selector": {"a": "b"}, **spec}}


async def refused(cluster: Cluster, obj: Json) -> str:
    """The message that creating a Service is answered with."""
    with pytest.raises(StatusError) as raised:
        await cluster.create("services", "default/", obj)
    assert raised.value.code == 422
    return str(raised.value)


async def test_a_service_gets_an_address_of_its_own(cluster: Cluster) -> None:
    """The IPAddress of that name says whose it is; deleting the Service frees it."""
    spec = (await cluster.create("services", "default/", service("s")))["spec"]
    address = spec["clusterIP"]
    assert spec["clusterIPs"] == [address]
    found = await cluster.get(ADDRESSES, address)
    assert found["spec"]["parentRef"] == {"resource": "services", "namespace": "default", "name": "s"}
    assert found["metadata"]["labels"] == {
        "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
        "ipaddress.kubernetes.io/ip-family": "IPv4",
    }
    await cluster.delete("services", "default/s")
    assert not await cluster.exists(ADDRESSES, address)


async def test_an_address_is_given_once(cluster: Cluster) -> None:
    """One that is asked for and taken, or none of the cluster's, is refused by name."""
    await cluster.create("services", "default/", service("s", clusterIP="10.96.0.10"))
    assert await refused(cluster, service("t", clusterIP="10.96.0.10")) == (
        'Service "t" is invalid: spec.clusterIPs: Invalid value: ["10.96.0.10"]: failed to allocate IP 10.96.0.10: '
        "provided IP is already allocated"
    )
    assert "the provided IP (10.97.0.1) is not in the valid range. The range of valid IPs is 10.96.0.0/16" in (
        await refused(cluster, service("t", clusterIP="10.97.0.1"))
    )


async def test_what_was_taken_for_a_refused_service_is_given_back(cluster: Cluster) -> None:
    """A name that is taken leaves no address behind, and a refused port neither."""
    for address in ("10.96.0.10", "10.96.0.11"):
        with suppress(StatusError):
            await cluster.create("services", "default/", service("s", clusterIP=address))
    assert not await cluster.exists(ADDRESSES, "10.96.0.11")
    wrong = service("t", clusterIP="10.96.0.11", type="NodePort", ports=[{"port": 80, "nodePort": 80}])
    assert "provided port is not in the valid range. The range of valid ports is 30000-32767" in (
        await refused(cluster, wrong)
    )
    assert not await cluster.exists(ADDRESSES, "10.96.0.11")


async def test_a_service_that_is_there_already_exists(cluster: Cluster) -> None:
    """Also when it asks for the address it has."""
    same = service("s", clusterIP="10.96.0.10")
    await cluster.create("services", "default/", same)
    with pytest.raises(StatusError, match='services "s" already exists'):
        await cluster.create("services", "default/", same)
    assert await cluster.exists(ADDRESSES, "10.96.0.10")


async def test_node_ports_are_given_once_and_come_back(cluster: Cluster) -> None:
    """Every port gets one, two protocols of a port share it, and they are free when the type no longer needs them."""
    ports = [
        {"port": 53, "protocol": "TCP", "name": "t"},
        {"port": 53, "protocol": "UDP", "name": "u"},
        {"port": 80, "name": "w"},
    ]
    made = await cluster.create("services", "default/", service("s", type="NodePort", ports=ports))
    given = [port["nodePort"] for port in made["spec"]["ports"]]
    assert given[0] == given[1] != given[2]
    assert all(30000 <= port <= 32767 for port in given)
    taken = service("t", type="NodePort", ports=[{"port": 80, "nodePort": given[2]}])
    assert await refused(cluster, taken) == (
        f'Service "t" is invalid: spec.ports[0].nodePort: Invalid value: {given[2]}: provided port is already allocated'
    )
    await cluster.patch("services", "default/s", {"spec": {"type": "ClusterIP"}})
    await cluster.create("services", "default/", taken)


async def test_an_update_keeps_what_the_service_has(cluster: Cluster) -> None:
    """Address and ports that the author leaves out stay; a new port gets one more."""
    made = await cluster.create("services", "default/", service("s", type="NodePort"))
    ports = [{"port": 80, "name": "a"}, {"port": 81, "name": "b"}]
    new = await cluster.update("services", "default/s", service("s", type="NodePort", ports=ports))
    assert new["spec"]["clusterIP"] == made["spec"]["clusterIP"]
    assert new["spec"]["ports"][0]["nodePort"] == made["spec"]["ports"][0]["nodePort"]
    assert new["spec"]["ports"][1]["nodePort"]


async def test_a_service_that_becomes_external_gives_its_address_back(cluster: Cluster) -> None:
    """And gets another one when it comes back."""
    address = (await cluster.create("services", "default/", service("s")))["spec"]["clusterIP"]
    patch: Json = {"spec": {"type": "ExternalName", "externalName": "a.b", "clusterIP": None, "clusterIPs": None}}
    assert "clusterIP" not in (await cluster.patch("services", "default/s", patch))["spec"]
    assert not await cluster.exists(ADDRESSES, address)
    back = await cluster.patch("services", "default/s", {"spec": {"type": "ClusterIP", "externalName": None}})
    assert await cluster.exists(ADDRESSES, back["spec"]["clusterIP"])


async def test_headless_services_have_no_address(cluster: Cluster) -> None:
    """Neither with nor without a selector; the families say what endpoints may have."""
    with_selector = await cluster.create("services", "default/", service("s", clusterIP="None"))
    assert with_selector["spec"]["ipFamilies"] == ["IPv4"]
    without = await cluster.create("services", "default/", service("t", clusterIP="None", selector=None))
    assert without["spec"]["ipFamilies"] == ["IPv4", "IPv6"]
    assert without["spec"]["ipFamilyPolicy"] == "RequireDualStack"


async def test_families_the_cluster_does_not_have_are_refused(cluster: Cluster) -> None:
    """IPv6, and two families at once."""
    assert 'spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster' in (
        await refused(cluster, service("s", ipFamilies=["IPv6"]))
    )
    assert "this cluster is not configured for dual-stack services" in (
        await refused(cluster, service("s", ipFamilyPolicy="RequireDualStack"))
    )


async def test_a_dry_run_takes_nothing(cluster: Cluster) -> None:
    """It shows an address and a port that are free."""
    made = await cluster.create("services", "default/", service("s", type="NodePort"), WriteOptions(dry_run=True))
    assert not await cluster.exists(ADDRESSES, made["spec"]["clusterIP"])
    assert made["spec"]["ports"][0]["nodePort"]


async def test_ports_are_given_out_to_the_last() -> None:
    """Concurrent takers get different ones; then there are none."""
    ports = NodePorts(MemoryStore(), Random(1), PortRange(30000, 30039))
    taken = await asyncio.gather(*(ports.take_any() for _ in range(40)))
    assert sorted(taken) == list(range(30000, 30040))
    assert set(taken[:24]) == set(range(30016, 30040))
    with pytest.raises(PortsExhausted):
        await ports.take_any()
    await ports.give_back([30007])
    assert await ports.take_any() == 30007
