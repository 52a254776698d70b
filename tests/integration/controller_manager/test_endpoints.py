"""Endpoints against a real etcd, API server and controller-manager."""

from kubewire.api.core.v1.endpoints_pb2 import Endpoints
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.api.core.v1.service_pb2 import Service
from kubewire.client.client import Client
from kubewire.machinery.errors import Reason, StatusError
from tests.controller_manager_process import ControllerManagerProcess
from tests.integration.controller_manager.test_endpoint_slice import answer_at
from tests.integration.controller_manager.workloads import NAMESPACE, eventually, pod


async def endpoints_of(client: Client, name: str) -> list[tuple[list[str], list[str], list[int]]] | None:
    """Addresses, those that are not ready, and ports of each subset; None if there are no Endpoints."""
    try:
        found = await client.resource(Endpoints, namespace=NAMESPACE).get(name)
    except StatusError as error:
        if error.reason == Reason.NOT_FOUND:
            return None
        raise
    return [
        (
            [one.ip for one in subset.addresses],
            [one.ip for one in subset.notReadyAddresses],
            [p.port for p in subset.ports],
        )
        for subset in found.subsets
    ]


async def test_they_follow_pods_and_go_with_their_service(manager: ControllerManagerProcess, client: Client) -> None:
    """Pods enter with their address, turn with their readiness, and leave; those of others are left alone."""
    foreign = Endpoints()
    foreign.metadata.name, foreign.metadata.namespace = "foreign", NAMESPACE
    await client.resource(Endpoints).create(foreign)
    service = Service()
    service.metadata.name, service.metadata.namespace = "web", NAMESPACE
    service.spec.selector["app"] = "web"
    service.spec.ports.add(name="http", port=80).targetPort.intVal = 8080
    await client.resource(Service).create(service)

    async def becomes(wanted: list[tuple[list[str], list[str], list[int]]] | None) -> None:
        async def holds() -> bool:
            return await endpoints_of(client, "web") == wanted

        await eventually(holds)

    await becomes([])
    pods = client.resource(Pod)
    for name, ip in (("a", "10.244.0.2"), ("b", "10.244.0.3")):
        await pods.create(pod(name, app="web"))
        await answer_at(client, name, ip, ready=name == "a")
    await becomes([(["10.244.0.2"], ["10.244.0.3"], [8080])])
    await answer_at(client, "b", "10.244.0.3", ready=True)
    await becomes([(["10.244.0.2", "10.244.0.3"], [], [8080])])
    await pods.in_namespace(NAMESPACE).delete("a")
    await becomes([(["10.244.0.3"], [], [8080])])
    await client.resource(Service, namespace=NAMESPACE).delete("web")
    await becomes(None)
    assert await endpoints_of(client, "foreign") == []
