"""Calls over real connections: who is believed, what errors look like, what streams do."""

import asyncio
import ssl
import urllib.request
from random import Random
from urllib.parse import quote

import grpc
import grpc.aio
import pytest

from kubewire.api.core.v1.config_map_pb2 import ConfigMap, ConfigMapList
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.client.transport.failures import status_error
from kubewire.machinery.errors import Reason
from kubewire.rpc.core.v1 import config_map_service_pb2 as api
from kubewire.rpc.core.v1.pod_service_pb2 import CreatePodRequest
from kubewire.rpc.v1.object_service_pb2 import ListWritesRequest, ListWritesResponse
from tests.apiserver_process import ApiServerProcess
from tests.integration.rpc.conftest import Client

SERVICE = "/kubewire.rpc.core.v1.ConfigMapService/"


def config_map(name: str, size: int = 0) -> ConfigMap:
    """A ConfigMap of about this size."""
    found = ConfigMap()
    found.metadata.name = name
    if size:
        found.data["key"] = "x" * size
    return found


async def create(client: Client, namespace: str, *objects: ConfigMap) -> list[ConfigMap]:
    """Create them in one batch; every one must succeed."""
    request = api.CreateConfigMapsRequest(namespace=namespace, config_maps=objects)
    answer = await client.unary(SERVICE + "CreateConfigMaps", request.SerializeToString())
    results = api.CreateConfigMapsResponse.FromString(answer).results
    assert not [result.status for result in results if result.HasField("status")]
    return [result.object for result in results]


async def test_a_client_certificate_is_believed(apiserver: ApiServerProcess) -> None:
    """On its own port the admin needs no token; without a certificate there is no connection."""
    pki = apiserver.folder / "pki"
    ca, key, certificate = ((pki / name).read_bytes() for name in ("ca.crt", "admin.key", "admin.crt"))
    known = grpc.ssl_channel_credentials(ca, key, certificate)
    async with grpc.aio.secure_channel(apiserver.client_certificate_grpc, known) as channel:
        answer = await Client(channel).unary(SERVICE + "ListConfigMaps")
        assert ConfigMapList.FromString(answer).metadata.resourceVersion
    unknown = grpc.ssl_channel_credentials(ca)
    async with grpc.aio.secure_channel(apiserver.client_certificate_grpc, unknown) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await Client(channel, apiserver.token).unary(SERVICE + "ListConfigMaps")
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize("header", ["", "Bearer ", "Bearer wrong", "Basic YWRtaW46", "wrong"])
async def test_nobody_else_is_believed(client: Client, header: str) -> None:
    """UNAUTHENTICATED with a Status, also on the port without TLS."""
    metadata = (("authorization", header),) if header else ()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await Client(client.channel).unary(SERVICE + "ListConfigMaps", b"", *metadata)
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert status_error(caught.value).reason == Reason.UNAUTHORIZED


async def test_unknown_methods_are_unimplemented(client: Client) -> None:
    """As gRPC says it."""
    for path in ("/x/y", SERVICE + "Nothing"):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await client.unary(path)
        assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_errors_have_the_status_of_rest(client: Client, namespace: str) -> None:
    """A missing object and a conflict carry code, reason and details."""
    request = api.GetConfigMapRequest(namespace=namespace, name="none")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await client.unary(SERVICE + "GetConfigMap", request.SerializeToString())
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    error = status_error(caught.value)
    assert (error.code, error.reason, error.message) == (404, "NotFound", 'configmaps "none" not found')
    [created] = await create(client, namespace, config_map("a"))
    created.metadata.resourceVersion = "1"
    update = api.UpdateConfigMapRequest(config_map=created)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await client.unary(SERVICE + "UpdateConfigMap", update.SerializeToString())
    assert caught.value.code() is grpc.StatusCode.ABORTED
    assert status_error(caught.value).reason == Reason.CONFLICT


async def test_large_errors_arrive(client: Client, namespace: str) -> None:
    """A thousand problems in one object are an error that says the first of them, not a broken call."""
    pod = Pod()
    pod.metadata.name = "bad"
    for number in range(1000):
        pod.spec.containers.add(name=f"Not A Name {number} é", image=" ")
    request = CreatePodRequest(namespace=namespace, pod=pod)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await client.unary("/kubewire.rpc.core.v1.PodService/CreatePod", request.SerializeToString())
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    error = status_error(caught.value)
    assert error.reason == Reason.INVALID
    assert error.details is not None
    assert "spec.containers[0].name" in {cause.field for cause in error.details.causes}


async def test_damaged_requests_are_the_callers_fault(client: Client, namespace: str) -> None:
    """Requests with bytes changed, cut off and added: refused or served, never a fault of the server."""
    random = Random(7)
    pod = Pod()
    pod.metadata.name, pod.metadata.labels["app"] = "a", "web"
    pod.spec.containers.add(name="web", image="web:1").ports.add(containerPort=80)
    whole = CreatePodRequest(namespace=namespace, pod=pod).SerializeToString()
    faults = []
    for _ in range(400):
        damaged = bytearray(whole)
        for _ in range(random.randint(1, 4)):
            damaged[random.randrange(len(damaged))] = random.randrange(256)
        if random.random() < 0.3:
            del damaged[random.randrange(len(damaged)) :]
        try:
            await client.unary("/kubewire.rpc.core.v1.PodService/CreatePod", bytes(damaged))
        except grpc.aio.AioRpcError as error:
            if status_error(error).code >= 500:
                faults.append((bytes(damaged), error.details()))
    assert not faults


async def test_a_large_request_is_refused_and_nothing_breaks(client: Client, namespace: str) -> None:
    """More than the server receives is RESOURCE_EXHAUSTED; the connection goes on."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await client.unary(SERVICE + "CreateConfigMap", bytes(17 << 20))
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    await create(client, namespace, config_map("a"))


async def test_lists_come_in_pages_that_any_client_takes(
    apiserver: ApiServerProcess, client: Client, namespace: str
) -> None:
    """Ten megabytes of objects reach a client with gRPC's default limit, page by page, at one revision."""
    for part in range(4):
        await create(client, namespace, *(config_map(f"{part}-{number:02}", 100_000) for number in range(25)))
    names, versions, token = [], set(), ""
    async with grpc.aio.insecure_channel(apiserver.insecure_grpc) as channel:
        ordinary = Client(channel, apiserver.token)
        while True:
            request = api.ListConfigMapsRequest(namespace=namespace)
            setattr(request.options, "continue", token)
            page = ConfigMapList.FromString(
                await ordinary.unary(SERVICE + "ListConfigMaps", request.SerializeToString())
            )
            names += [item.metadata.name for item in page.items]
            versions.add(page.metadata.resourceVersion)
            token = getattr(page.metadata, "continue")
            if not token:
                break
            assert len(page.items) < 40
    assert names == sorted(f"{part}-{number:02}" for part in range(4) for number in range(25))
    assert len(versions) == 1


async def test_an_open_watch_sees_what_comes_after(client: Client, namespace: str) -> None:
    """Once its headers arrived, every later change is delivered, in order, and nothing of what was there before."""
    await create(client, namespace, config_map("before"))
    call = client.stream(
        SERVICE + "WatchConfigMaps", api.WatchConfigMapsRequest(namespace=namespace).SerializeToString()
    )
    await call.initial_metadata()
    await create(client, namespace, *(config_map(f"{number:03}") for number in range(300)))
    names: list[str] = []
    while len(names) < 300:
        message = await call.read()
        assert isinstance(message, bytes)
        names += [event.object.metadata.name for event in api.WatchConfigMapsResponse.FromString(message).events]
    assert sorted(names) == [f"{number:03}" for number in range(300)]
    call.cancel()


async def test_a_watcher_that_does_not_read_is_ended_and_can_resume(client: Client, namespace: str) -> None:
    """UNAVAILABLE, not lost history: from the last version it saw it gets all the rest, each once."""
    request = api.WatchConfigMapsRequest(namespace=namespace)
    call = client.stream(SERVICE + "WatchConfigMaps", request.SerializeToString())
    await call.initial_metadata()
    for part in range(25):
        await create(client, namespace, *(config_map(f"{part:02}-{number}", 250_000) for number in range(8)))
    seen: list[ConfigMap] = []
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await receive(call, seen, 200)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert status_error(caught.value).reason == Reason.SERVICE_UNAVAILABLE
    assert len(seen) < 200
    request.options.resourceVersion = seen[-1].metadata.resourceVersion if seen else "0"
    again = client.stream(SERVICE + "WatchConfigMaps", request.SerializeToString())
    await receive(again, seen, 200)
    again.cancel()
    names = [item.metadata.name for item in seen]
    assert sorted(names) == [f"{part:02}-{number}" for part in range(25) for number in range(8)]


async def receive(call: "grpc.aio.UnaryStreamCall[bytes, bytes]", seen: list[ConfigMap], count: int) -> None:
    """Read until `count` objects were seen."""
    while len(seen) < count:
        message = await call.read()
        assert isinstance(message, bytes)
        seen += [event.object for event in api.WatchConfigMapsResponse.FromString(message).events]


async def test_a_deadline_ends_a_call(client: Client, namespace: str) -> None:
    """A watch without an end of its own ends with the caller's deadline."""
    method: grpc.aio.UnaryStreamMultiCallable[bytes, bytes] = client.channel.unary_stream(SERVICE + "WatchConfigMaps")
    request = api.WatchConfigMapsRequest(namespace=namespace).SerializeToString()
    call = method(request, metadata=client.metadata, timeout=0.3)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call.read()
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_writer_and_cause_are_remembered(client: Client, namespace: str) -> None:
    """Who asks why an object was written learns user, manager and the object version that made the writer act."""
    cause = "Deployment/é/web@12"
    request = api.CreateConfigMapRequest(namespace=namespace, config_map=config_map("a"))
    request.options.fieldManager = "tests"
    await client.unary(SERVICE + "CreateConfigMap", request.SerializeToString(), ("kubewire-cause", quote(cause)))
    asked = ListWritesRequest(namespace=namespace, name="a")
    asked.resource.version, asked.resource.resource = "v1", "configmaps"
    answer = await client.unary("/kubewire.rpc.v1.ObjectService/ListWrites", asked.SerializeToString())
    [write] = ListWritesResponse.FromString(answer).writes
    assert (write.verb, write.user, write.manager, write.cause) == ("create", "admin", "tests", cause)
    assert 0 < write.committed_time.ToSeconds() - write.received_time.ToSeconds() + 1 <= 2


async def test_many_calls_at_once(client: Client, namespace: str) -> None:
    """Calls on one connection do not wait for each other, and each gets its own answer."""

    async def one(number: int) -> str:
        [created] = await create(client, namespace, config_map(f"{number}"))
        return created.metadata.name

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(number)) for number in range(100)]
    assert [task.result() for task in tasks] == [str(number) for number in range(100)]


async def test_metrics_count_both_faces_alike(apiserver: ApiServerProcess, client: Client, namespace: str) -> None:
    """A call over gRPC appears under Kubernetes' names at the REST port."""
    await create(client, namespace, config_map("a"))
    request = urllib.request.Request(
        f"{apiserver.rest}/metrics", headers={"Authorization": f"Bearer {apiserver.token}"}
    )
    trust = ssl.create_default_context(cafile=str(apiserver.ca))
    text = await asyncio.to_thread(lambda: urllib.request.urlopen(request, context=trust, timeout=30).read().decode())
    assert 'apiserver_request_total{code="200",component="apiserver",dry_run="",group="",resource="configmaps"' in text
    assert 'etcd_requests_total{group="",operation="create",resource="configmaps"}' in text
    assert "process_resident_memory_bytes" in text
