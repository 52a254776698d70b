"""EndpointSlices against a real etcd, API server and controller-manager."""

from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.api.core.v1.service_pb2 import Service
from kubewire.api.discovery.v1.endpoint_slice_pb2 import EndpointSlice
from kubewire.client.client import Client
from kubewire.client.resources.options import Selection
from tests.controller_manager_process import ControllerManagerProcess
from tests.integration.controller_manager.workloads import NAMESPACE, eventually, pod


async def answer_at(client: Client, name: str, ip: str, *, ready: bool) -> None:
    """A pod is at an address, and ready or not, as its node would say."""
    found = await client.pods(NAMESPACE).get(name)
    found.status.phase = "Running"
    found.status.podIP = ip
    del found.status.podIPs[:]
    found.status.podIPs.add(ip=ip)
    del found.status.conditions[:]
    found.status.conditions.add(type="Ready", status=str(ready))
    await client.pods(NAMESPACE).update_status(found)


async def slices(client: Client) -> list[EndpointSlice]:
    """Those of the Service `web`."""
    mine = Selection("kubernetes.io/service-name=web")
    return [one async for one in client.resource(EndpointSlice, namespace=NAMESPACE).list(mine)]


async def has_endpoints(client: Client, wanted: dict[str, bool]) -> None:
    """Return when there is one slice with these addresses, ready or not."""

    async def holds() -> bool:
        found = await slices(client)
        told = {one.addresses[0]: one.conditions.ready for each in found for one in each.endpoints}
        return len(found) == 1 and told == wanted

    await eventually(holds)


async def test_it_follows_pods(manager: ControllerManagerProcess, client: Client) -> None:
    """A Service has an empty slice; pods enter it with their address, turn with their readiness, and leave it."""
    service = Service()
    service.metadata.name, service.metadata.namespace = "web", NAMESPACE
    service.spec.selector["app"] = "web"
    service.spec.ports.add(name="http", port=80).targetPort.intVal = 8080
    await client.resource(Service).create(service)
    await has_endpoints(client, {})
    pods = client.resource(Pod)
    for name, ip in (("a", "10.244.0.2"), ("b", "10.244.0.3")):
        await pods.create(pod(name, app="web"))
        await answer_at(client, name, ip, ready=False)
    await has_endpoints(client, {"10.244.0.2": False, "10.244.0.3": False})
    await answer_at(client, "a", "10.244.0.2", ready=True)
    await has_endpoints(client, {"10.244.0.2": True, "10.244.0.3": False})
    [found] = await slices(client)
    assert [(port.name, port.port, port.protocol) for port in found.ports] == [("http", 8080, "TCP")]
    await pods.in_namespace(NAMESPACE).delete("b")
    await has_endpoints(client, {"10.244.0.2": True})
