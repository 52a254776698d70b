"""Volumes beside a real API server: what changes there reaches the files by itself."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from kubewire.api.core.v1.config_map_pb2 import ConfigMap
from kubewire.api.core.v1.namespace_pb2 import Namespace
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.api.core.v1.secret_pb2 import Secret
from kubewire.api.core.v1.service_account_pb2 import ServiceAccount
from kubewire.client.client import Client
from kubewire.client.transport.grpc_transport import GrpcTransport
from kubewire.client.transport.options import GrpcOptions
from kubewire.kubelet.errors import VolumeError
from kubewire.kubelet.volumes.disk import Disk
from kubewire.kubelet.volumes.layout import Layout
from kubewire.kubelet.volumes.objects import ReferencedObjects
from kubewire.kubelet.volumes.tokens import ServiceAccountTokens, token_calls
from kubewire.kubelet.volumes.volumes import PodVolumes, Surroundings
from tests.apiserver_process import ApiServerProcess, running_apiserver
from tests.unit.kubelet.manifests import NAMESPACE, config_map, pod_of, secret

PATIENCE_SECONDS = 20.0

SPEC = """
    serviceAccountName: robot
    volumes:
    - name: v
      projected:
        sources:
        - configMap: {name: settings}
        - secret: {name: keys, optional: true}
    containers:
    - {name: main, image: busybox, volumeMounts: [{name: v, mountPath: /v}]}
"""


@pytest.fixture
def apiserver(etcd: str, tmp_path: Path) -> Iterator[ApiServerProcess]:
    """A fresh cluster."""
    with running_apiserver(tmp_path / "apiserver", etcd) as server:
        yield server


class Kubelet:
    """As much of a kubelet as volumes need: it calls `ensure` again when it is told to."""

    def __init__(self, client: Client, layout: Layout, disk: Disk) -> None:
        self.client = client
        self.pods: dict[str, Pod] = {}
        self.problems: dict[str, str] = {}
        self._due: asyncio.Queue[str] = asyncio.Queue()
        self.objects = ReferencedObjects(client, self._due.put_nowait)
        self.tokens = ServiceAccountTokens(token_calls(client))
        self.volumes = PodVolumes(layout, disk, self.objects, self.tokens, Surroundings(dict, self._due.put_nowait))

    def take(self, pod: Pod) -> None:
        """Run a pod here."""
        self.pods[pod.metadata.uid] = pod
        self._due.put_nowait(pod.metadata.uid)

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.objects.run())
            while True:
                uid = await self._due.get()
                try:
                    await self.volumes.ensure(self.pods[uid])
                    self.problems.pop(uid, None)
                except VolumeError as error:
                    self.problems[uid] = str(error)


@asynccontextmanager
async def running(apiserver: ApiServerProcess, layout: Layout, disk: Disk) -> AsyncIterator[Kubelet]:
    """One that runs, in a cluster with its namespace and account; pods' volumes are removed at the end."""
    transport = GrpcTransport(
        GrpcOptions(endpoints=(apiserver.grpc,), ca_file=apiserver.ca, token=apiserver.token, user_agent="test/1.0")
    )
    client = Client(transport)
    namespace, account = Namespace(), ServiceAccount()
    namespace.metadata.name = NAMESPACE
    account.metadata.namespace, account.metadata.name = NAMESPACE, "robot"
    await client.resource(Namespace).create(namespace)
    await client.resource(ServiceAccount).create(account)
    kubelet = Kubelet(client, layout, disk)
    try:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(kubelet.run())
            yield kubelet
            task.cancel()
        for uid in kubelet.volumes.known():
            await kubelet.volumes.remove(uid)
    finally:
        await transport.close()


def as_node(apiserver: ApiServerProcess) -> GrpcTransport:
    """A way to the server as the node `n1`."""
    token = apiserver.token_of("system:node:n1")
    return GrpcTransport(
        GrpcOptions(endpoints=(apiserver.grpc,), ca_file=apiserver.ca, token=token, user_agent="kubelet/1.0")
    )


async def until(holds: Callable[[], bool]) -> None:
    """Return when it holds."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not holds():  # noqa: ASYNC110 - what it waits for is told nowhere
            await asyncio.sleep(0.01)


def text_of(path: Path) -> str:
    """What a file holds; empty if it is not there."""
    return path.read_text() if path.exists() else ""


async def test_objects_that_come_and_change(apiserver: ApiServerProcess, layout: Layout, disk: Disk) -> None:
    """A pod waits for its ConfigMap, has it as soon as it is made, and follows every change of it and of a Secret."""
    async with running(apiserver, layout, disk) as kubelet:
        maps, secrets = kubelet.client.resource(ConfigMap), kubelet.client.resource(Secret)
        kubelet.take(pod_of(SPEC))
        folder = layout.volume("uid-1", "projected", "v")
        await until(lambda: 'configmap "settings" not found' in kubelet.problems.get("uid-1", ""))

        stored = await maps.create(config_map("settings", color="blue"))
        await until(lambda: text_of(folder / "color") == "blue")
        assert not kubelet.problems

        stored.data["color"] = "red"
        await maps.update(stored)
        await until(lambda: text_of(folder / "color") == "red")

        await secrets.create(secret("keys", token=b"s3cret"))
        await until(lambda: text_of(folder / "token") == "s3cret")
        await secrets.in_namespace(NAMESPACE).delete("keys")
        await until(lambda: not (folder / "token").exists())
        assert (folder / "color").read_text() == "red"


async def test_it_goes_on_after_the_server_was_away(apiserver: ApiServerProcess, layout: Layout, disk: Disk) -> None:
    """Files stay while nobody answers, and follow again when the server is back."""
    async with running(apiserver, layout, disk) as kubelet:
        maps = kubelet.client.resource(ConfigMap)
        stored = await maps.create(config_map("settings", color="blue"))
        kubelet.take(pod_of(SPEC))
        folder = layout.volume("uid-1", "projected", "v")
        await until(lambda: text_of(folder / "color") == "blue")
        apiserver.kill()
        await kubelet.volumes.ensure(kubelet.pods["uid-1"])
        assert (folder / "color").read_text() == "blue"
        apiserver.start()
        stored.data["color"] = "red"
        await maps.update(stored)
        await until(lambda: text_of(folder / "color") == "red")


async def test_tokens_are_the_servers(apiserver: ApiServerProcess, layout: Layout, disk: Disk) -> None:
    """The token in the file is one the server knows its bearer by."""
    async with running(apiserver, layout, disk) as kubelet:
        pod = pod_of("""
            serviceAccountName: robot
            volumes: [{name: v, projected: {sources: [{serviceAccountToken: {path: token, expirationSeconds: 600}}]}}]
            containers: [{name: main, image: busybox, volumeMounts: [{name: v, mountPath: /v}]}]
        """)
        stored = await kubelet.client.resource(Pod).create(pod)
        kubelet.take(stored)
        file = layout.volume(stored.metadata.uid, "projected", "v") / "token"
        await until(lambda: text_of(file) != "")
        assert kubelet.problems == {}
        transport = GrpcTransport(
            GrpcOptions(endpoints=(apiserver.grpc,), ca_file=apiserver.ca, token=file.read_text(), user_agent="x/1.0")
        )
        try:
            with pytest.raises(Exception, match=f"system:serviceaccount:{NAMESPACE}:robot"):
                await Client(transport).resource(Secret, namespace=NAMESPACE).get("keys")
        finally:
            await transport.close()


async def test_a_node_reads_what_its_own_pods_name(apiserver: ApiServerProcess, layout: Layout, disk: Disk) -> None:
    """With a node's own rights: objects and tokens of pods that are bound to it, and of no others."""
    async with running(apiserver, layout, disk) as admin:
        maps, pods = admin.client.resource(ConfigMap), admin.client.pods(NAMESPACE)
        await maps.create(config_map("settings", color="blue"))
        pod = pod_of(SPEC.replace("- secret:", "- serviceAccountToken: {path: token}\n        - secret:"), uid="")
        pod.spec.nodeName = "n1"
        stored = await pods.create(pod)
        foreign = pod_of(SPEC, name="foreign", uid="")
        foreign.spec.nodeName = "n2"
        foreign.spec.volumes[0].volumeSource.projected.sources[0].configMap.localObjectReference.name = "theirs"
        await maps.create(config_map("theirs", color="red"))
        other = await pods.create(foreign)
        transport = as_node(apiserver)
        kubelet = Kubelet(Client(transport), layout, disk)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(kubelet.run())
            kubelet.take(stored)
            kubelet.take(other)
            folder = layout.volume(stored.metadata.uid, "projected", "v")
            await until(lambda: text_of(folder / "color") == "blue" and text_of(folder / "token") != "")
            found = await maps.in_namespace(NAMESPACE).get("settings")
            found.data["color"] = "green"
            await maps.update(found)
            await until(lambda: text_of(folder / "color") == "green")
            await until(lambda: "no relationship found" in kubelet.problems.get(other.metadata.uid, ""))
            task.cancel()
        await transport.close()
