"""A whole kubelet with a simulated runtime, its faces asked over the network."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.request import urlopen

import grpc
import grpc.aio
import pytest
from google.protobuf.message import Message

from kubewire.api.core.v1.node_pb2 import Node
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.client.testing.simulated_cluster import SimulatedCluster
from kubewire.component.tls.store import CertificateStore
from kubewire.kubelet.app import Kubelet
from kubewire.kubelet.config import KubeletConfig
from kubewire.kubelet.v1 import kubelet_service_pb2 as messages

SERVICE = "/kubewire.kubelet.v1.KubeletService/"
WAIT_SECONDS = 20.0


def pod_named(name: str) -> Pod:
    """A pod bound to the node."""
    pod = Pod()
    pod.metadata.name, pod.metadata.namespace = name, "default"
    pod.spec.nodeName = "n1"
    container = pod.spec.containers.add(name="app", image="app:1")
    container.readinessProbe.handler.tcpSocket.port.intVal = 80
    return pod


@asynccontextmanager
async def running(folder: Path, cluster: SimulatedCluster, **settings: object) -> AsyncIterator[Kubelet]:
    """A kubelet of the node n1 that is up."""
    config = KubeletConfig(
        node_name="n1",
        node_ip="127.0.0.1",
        runtime="simulated",
        root_dir=folder / "root",
        grpc_port=0,
        metrics_port=0,
        **settings,  # type: ignore[arg-type]  # as tests set them
    )
    kubelet = Kubelet(config, cluster.transport())
    stop, up = asyncio.Event(), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(kubelet.run(stop, up.set))
        async with asyncio.timeout(WAIT_SECONDS):
            await up.wait()
        yield kubelet
        stop.set()


async def ready(cluster: SimulatedCluster, name: str) -> Pod:
    """A pod once it is Ready."""
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            pod = cluster.get(Pod, name, "default")
            assert pod is not None
            if any(one.type == "Ready" and one.status == "True" for one in pod.status.conditions):
                return pod
            await asyncio.sleep(0.02)


async def ask(
    channel: grpc.aio.Channel, method: str, request: Message, answer: type[Message], token: str = ""
) -> Message:
    """A call of the kubelet's service."""
    call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(SERVICE + method)
    metadata = (("authorization", f"Bearer {token}"),) if token else ()
    return answer.FromString(await call(request.SerializeToString(), metadata=metadata))


async def test_a_kubelet_tells_what_it_knows(tmp_path: Path) -> None:
    """Its pods, one pod, the runtime, metrics and health."""
    cluster = SimulatedCluster()
    cluster.add(pod_named("web"))
    async with running(tmp_path, cluster) as kubelet:
        await ready(cluster, "web")
        node = cluster.get(Node, "n1")
        assert node is not None
        assert node.metadata.annotations["kubewire.io/simulated"] == "true"
        assert node.status.daemonEndpoints.kubeletEndpoint.Port == int(kubelet.addresses.grpc.rpartition(":")[2])
        async with grpc.aio.insecure_channel(kubelet.addresses.grpc) as channel:
            listed = await ask(channel, "ListPods", messages.ListPodsRequest(), messages.ListPodsResponse)
            assert isinstance(listed, messages.ListPodsResponse)
            assert [(pod.name, pod.phase, pod.ready) for pod in listed.pods] == [("web", "Running", True)]
            asked = messages.GetPodRequest(namespace="default", name="web")
            found = await ask(channel, "GetPod", asked, messages.GetPodResponse)
            assert isinstance(found, messages.GetPodResponse)
            assert [(one.name, one.state, one.ready) for one in found.pod.containers] == [("app", "running", True)]
            told = await ask(channel, "GetRuntime", messages.GetRuntimeRequest(), messages.GetRuntimeResponse)
            assert isinstance(told, messages.GetRuntimeResponse)
            assert (told.name, told.simulated) == ("simulated", True)
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await ask(channel, "GetPod", messages.GetPodRequest(name="nobody"), messages.GetPodResponse)
            assert caught.value.code() is grpc.StatusCode.NOT_FOUND
        page = await asyncio.to_thread(lambda: urlopen(f"http://{kubelet.addresses.metrics}/metrics").read().decode())
        assert 'kubelet_node_name{node="n1"} 1' in page
        assert "kubelet_running_pods 1" in page
        assert 'kubelet_running_containers{container_state="running"} 1' in page
        healthy = await asyncio.to_thread(lambda: urlopen(f"http://{kubelet.addresses.metrics}/readyz").status)
        assert healthy == 200


async def test_callers_without_the_token_are_refused(tmp_path: Path) -> None:
    """Over TLS, with the certificate that was configured."""
    store = CertificateStore(tmp_path / "pki")
    issued = store.server("kubelet", "n1", ("127.0.0.1",))
    token = tmp_path / "token"
    token.write_text("open sesame\n")
    settings = {
        "serving_cert_file": tmp_path / "pki" / "kubelet.crt",
        "serving_key_file": tmp_path / "pki" / "kubelet.key",
        "caller_token_file": token,
    }
    assert issued.certificate
    credentials = grpc.ssl_channel_credentials(store.authority_file.read_bytes())
    async with (
        running(tmp_path, SimulatedCluster(), **settings) as kubelet,
        grpc.aio.secure_channel(kubelet.addresses.grpc, credentials) as channel,
    ):
        for wrong in ("", "open barley"):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await ask(channel, "ListPods", messages.ListPodsRequest(), messages.ListPodsResponse, wrong)
            assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
        listed = await ask(channel, "ListPods", messages.ListPodsRequest(), messages.ListPodsResponse, "open sesame")
        assert isinstance(listed, messages.ListPodsResponse)
        assert listed.node == "n1"


async def test_callers_without_a_certificate_are_refused(tmp_path: Path) -> None:
    """Where the clients' CA is configured, nobody else gets through."""
    store = CertificateStore(tmp_path / "pki")
    store.server("kubelet", "n1", ("127.0.0.1",))
    client = store.client("apiserver", "kube-apiserver")
    settings = {
        "serving_cert_file": tmp_path / "pki" / "kubelet.crt",
        "serving_key_file": tmp_path / "pki" / "kubelet.key",
        "client_ca_file": store.authority_file,
    }
    authority = store.authority_file.read_bytes()
    async with running(tmp_path, SimulatedCluster(), **settings) as kubelet:
        nobody = grpc.ssl_channel_credentials(authority)
        async with grpc.aio.secure_channel(kubelet.addresses.grpc, nobody) as channel:
            with pytest.raises(grpc.aio.AioRpcError):
                await ask(channel, "ListPods", messages.ListPodsRequest(), messages.ListPodsResponse)
        known = grpc.ssl_channel_credentials(authority, client.key, client.certificate)
        async with grpc.aio.secure_channel(kubelet.addresses.grpc, known) as channel:
            listed = await ask(channel, "ListPods", messages.ListPodsRequest(), messages.ListPodsResponse)
            assert isinstance(listed, messages.ListPodsResponse)


async def test_a_stop_leaves_pods_as_they_are(tmp_path: Path) -> None:
    """The kubelet ends; its pods are still Running on record."""
    cluster = SimulatedCluster()
    cluster.add(pod_named("web"))
    async with running(tmp_path, cluster):
        before = await ready(cluster, "web")
    assert cluster.get(Pod, "web", "default") == before
