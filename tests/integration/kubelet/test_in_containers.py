"""Volumes, variables and probes as containers see them: a real kubelet, containerd and API server."""

import asyncio
import textwrap
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from kubewire.api.core.v1.config_map_pb2 import ConfigMap
from kubewire.api.core.v1.event_pb2 import Event
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.api.core.v1.secret_pb2 import Secret
from kubewire.api.core.v1.service_account_pb2 import ServiceAccount
from kubewire.client.client import Client
from kubewire.client.resources.options import Deleting, Selection
from kubewire.client.transport.grpc_transport import GrpcTransport
from kubewire.client.transport.options import GrpcOptions
from kubewire.kubelet.volumes.mounting import KernelMounter
from tests.apiserver_process import ApiServerProcess, running_apiserver
from tests.containerd_process import DEMO_IMAGE, running_containerd
from tests.etcd_process import find_free_port
from tests.kubelet_process import KubeletProcess, running_kubelet
from tests.unit.kubelet.manifests import config_map, pod_of, secret

NAMESPACE = "default"
PATIENCE_SECONDS = 30.0


class Cluster:
    """One node that runs pods, and where its volumes lie."""

    def __init__(self, apiserver: ApiServerProcess, kubelet: KubeletProcess) -> None:
        self.apiserver = apiserver
        self.kubelet = kubelet

    def volume(self, pod: Pod, name: str, plugin: str = "empty-dir") -> Path:
        """A volume's folder on the host."""
        return self.kubelet.root / "pods" / pod.metadata.uid / "volumes" / f"kubernetes.io~{plugin}" / name


@pytest.fixture(scope="module")
def cluster(shared_etcd: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A node with containerd, a kubelet and an API server."""
    folder = tmp_path_factory.mktemp("in-containers")
    with running_containerd() as node:
        flags = (
            f"--more-bind-addresses={node.host_address}",
            f"--tls-names={node.host_address}",
            # The same port on every address.
            f"--grpc-port={find_free_port()}",
        )
        with (
            running_apiserver(folder / "apiserver", shared_etcd, *flags, needs_accounts=True) as apiserver,
            running_kubelet(folder / "kubelet", apiserver, node) as kubelet,
        ):
            asyncio.run(_prepare(apiserver))
            yield Cluster(apiserver, kubelet)
            asyncio.run(_sweep(apiserver, kubelet))


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


async def _prepare(apiserver: ApiServerProcess) -> None:
    """What controllers would make."""
    account = ServiceAccount()
    account.metadata.namespace, account.metadata.name = NAMESPACE, "default"
    async with client_of(apiserver) as client:
        await client.resource(ServiceAccount).create(account)
        await client.resource(ConfigMap).create(
            config_map("kube-root-ca.crt", NAMESPACE, **{"ca.crt": apiserver.ca.read_text()})
        )


async def _sweep(apiserver: ApiServerProcess, kubelet: KubeletProcess) -> None:
    """End all pods, and have the kubelet remove what they had, so that nothing of them is left mounted."""
    async with client_of(apiserver) as client:
        pods = client.pods(NAMESPACE)
        names = [pod.metadata.name async for pod in pods.list()]
        for name in names:
            await pods.delete(name)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while list((kubelet.root / "pods").iterdir()):  # noqa: ASYNC110 - what is waited for is on a disk
                await asyncio.sleep(0.05)


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Return when it holds."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await holds():  # noqa: ASYNC110 - what is waited for is on a server
            await asyncio.sleep(0.02)


async def run(client: Client, name: str, spec: str) -> Pod:
    """A pod on the node; its containers are of the demo image, and end at once when asked to."""
    pod = pod_of(spec, name=name, uid="")
    pod.metadata.namespace = NAMESPACE
    pod.spec.nodeName = "node-1"
    pod.spec.terminationGracePeriodSeconds = 0
    for container in pod.spec.containers:
        container.image = DEMO_IMAGE
    return await client.pods(NAMESPACE).create(pod)


async def is_ready(client: Client, name: str) -> bool:
    """Whether all of its containers are."""
    pod = await client.pods(NAMESPACE).get(name)
    statuses = pod.status.containerStatuses
    return bool(statuses) and all(status.ready for status in statuses)


async def events(client: Client, name: str) -> list[tuple[str, str]]:
    """Reasons and messages of a pod's."""
    selection = Selection(field_selector=f"involvedObject.name={name}")
    return [
        (event.reason, event.message) async for event in client.resource(Event, namespace=NAMESPACE).list(selection)
    ]


LOOKS = textwrap.dedent("""
    containers:
    - name: main
      command: [sh, -c]
      args:
      - |
        env > /out/env
        cat /settings/color > /out/color
        cat /one > /out/one
        ls -ln /keys/..data/ > /out/keys
        cat /me/labels > /out/labels
        cat /var/run/secrets/kubernetes.io/serviceaccount/token > /out/token
        cat /var/run/secrets/kubernetes.io/serviceaccount/namespace > /out/namespace
        df /memory | tail -1 > /out/memory
        echo try > /settings/new 2> /dev/null || echo read-only > /out/write
        echo $(GREETING) > /out/greeting
        touch /out/done
        exec sleep 1000
      env:
      - {name: COLOR, valueFrom: {configMapKeyRef: {name: settings, key: color}}}
      - {name: NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
      - {name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
      - {name: GREETING, value: "hello-$(COLOR)"}
      envFrom: [{prefix: KEY_, secretRef: {name: keys}}]
      volumeMounts:
      - {name: out, mountPath: /out}
      - {name: settings, mountPath: /settings}
      - {name: settings, mountPath: /one, subPath: color}
      - {name: keys, mountPath: /keys}
      - {name: me, mountPath: /me}
      - {name: memory, mountPath: /memory}
      readinessProbe: {exec: {command: [test, -e, /out/done]}, periodSeconds: 1}
    volumes:
    - {name: out, emptyDir: {}}
    - {name: settings, configMap: {name: settings}}
    - {name: keys, secret: {secretName: keys, defaultMode: 256}}
    - {name: me, downwardAPI: {items: [{path: labels, fieldRef: {fieldPath: metadata.labels}}]}}
    - {name: memory, emptyDir: {medium: Memory, sizeLimit: 1Mi}}
""")


async def test_what_a_container_sees(cluster: Cluster) -> None:
    """Variables, files, parts of volumes, the token of its account: all from inside."""
    async with client_of(cluster.apiserver) as client:
        await client.resource(ConfigMap).create(config_map("settings", NAMESPACE, color="blue"))
        await client.resource(Secret).create(secret("keys", NAMESPACE, token=b"s3cret"))
        pod = await run(client, "looks", LOOKS)
        await until(lambda: is_ready(client, "looks"))
        stored = await client.pods(NAMESPACE).get("looks")
        out = cluster.volume(pod, "out")
        seen = {path.name: path.read_text().strip() for path in out.iterdir()}
        env = dict(line.partition("=")[::2] for line in seen["env"].splitlines())
        assert (env["COLOR"], env["NAME"], env["KEY_token"]) == ("blue", "looks", "s3cret")
        assert env["IP"] == stored.status.podIP
        assert env["KUBERNETES_SERVICE_PORT"] == "443"
        assert seen["greeting"] == "hello-blue"
        assert (seen["color"], seen["one"], seen["namespace"]) == ("blue", "blue", NAMESPACE)
        assert "-r--------" in seen["keys"]
        assert seen["token"].count(".") == 2
        assert "1024" in seen["memory"]
        assert seen["write"] == "read-only"
        await client.pods(NAMESPACE).delete("looks")
        await until(lambda: _is_gone(cluster, pod))
        assert not list(KernelMounter().below(cluster.kubelet.root))


async def _is_gone(cluster: Cluster, pod: Pod) -> bool:
    return not (cluster.kubelet.root / "pods" / pod.metadata.uid).exists()


async def test_a_changed_config_map_reaches_a_running_container(cluster: Cluster) -> None:
    """The container is not restarted: it finds the new value in the file, and becomes ready by it."""
    async with client_of(cluster.apiserver) as client:
        maps = client.resource(ConfigMap)
        stored = await maps.create(config_map("switch", NAMESPACE, state="off"))
        await run(
            client,
            "follows",
            """
            containers:
            - name: main
              command: [sleep, "1000"]
              volumeMounts: [{name: switch, mountPath: /switch}]
              readinessProbe: {exec: {command: [grep, -q, "on", /switch/state]}, periodSeconds: 1}
            volumes: [{name: switch, configMap: {name: switch}}]
        """,
        )
        await until(lambda: _has_event(client, "follows", "Unhealthy"))
        stored.data["state"] = "on"
        await maps.update(stored)
        await until(lambda: is_ready(client, "follows"))
        pod = await client.pods(NAMESPACE).get("follows")
        assert pod.status.containerStatuses[0].restartCount == 0


async def test_a_changed_label_reaches_a_running_container(cluster: Cluster) -> None:
    """The file shows it, and the container becomes ready by it."""
    async with client_of(cluster.apiserver) as client:
        await run(
            client,
            "labelled",
            """
            containers:
            - name: main
              command: [sleep, "1000"]
              volumeMounts: [{name: me, mountPath: /me}]
              readinessProbe: {exec: {command: [grep, -q, front, /me/labels]}, periodSeconds: 1}
            volumes:
            - {name: me, downwardAPI: {items: [{path: labels, fieldRef: {fieldPath: metadata.labels}}]}}
            """,
        )
        await until(lambda: _has_event(client, "labelled", "Unhealthy"))
        await client.pods(NAMESPACE).patch("labelled", {"metadata": {"labels": {"tier": "front"}}})
        await until(lambda: is_ready(client, "labelled"))


async def _has_event(client: Client, name: str, reason: str) -> bool:
    return any(found == reason for found, _ in await events(client, name))


@pytest.mark.parametrize(
    ("name", "container", "volumes", "reason"),
    [
        ("waits-for-variable", "envFrom: [{configMapRef: {name: late-1}}]", "", "CreateContainerConfigError"),
        (
            "waits-for-volume",
            "volumeMounts: [{name: v, mountPath: /v}]",
            "volumes: [{name: v, configMap: {name: late-2}}]",
            "FailedMount",
        ),
    ],
)
async def test_a_pod_that_waits_for_an_object_runs_when_it_is_there(
    cluster: Cluster, name: str, container: str, volumes: str, reason: str
) -> None:
    """It says what it waits for, and begins at once when that is made."""
    late = "late-1" if "variable" in name else "late-2"
    async with client_of(cluster.apiserver) as client:
        await run(
            client,
            name,
            f"""
            containers: [{{name: main, command: [sleep, "1000"], {container}}}]
            {volumes}
        """,
        )

        async def says() -> bool:
            pod = await client.pods(NAMESPACE).get(name)
            waiting = {status.state.waiting.reason for status in pod.status.containerStatuses}
            told = await events(client, name)
            message = f'configmap "{late}" not found'
            return (reason in waiting or reason in {one for one, _ in told}) and any(
                message in text for _, text in told
            )

        await until(says)
        await client.resource(ConfigMap).create(config_map(late, NAMESPACE, k="v"))
        await until(lambda: is_ready(client, name))


async def test_a_container_that_is_not_live_is_restarted(cluster: Cluster) -> None:
    """Its probe says so, it is ended with the probe's grace, and the next one is well."""
    async with client_of(cluster.apiserver) as client:
        pod = await run(
            client,
            "sick",
            """
            containers:
            - name: main
              command: [sh, -c, "test -e /out/second && exec httpd -f -p 8080; touch /out/second; exec sleep 1000"]
              volumeMounts: [{name: out, mountPath: /out}]
              ports: [{name: web, containerPort: 8080}]
              livenessProbe:
                tcpSocket: {port: web}
                periodSeconds: 1
                failureThreshold: 2
                terminationGracePeriodSeconds: 1
            volumes: [{name: out, emptyDir: {}}]
        """,
        )

        async def is_second() -> bool:
            stored = await client.pods(NAMESPACE).get("sick")
            return any(status.restartCount == 1 and status.ready for status in stored.status.containerStatuses)

        await until(is_second)
        told = await events(client, "sick")
        assert any(reason == "Unhealthy" and "connection refused" in message for reason, message in told)
        assert any(reason == "Killing" and "failed liveness probe" in message for reason, message in told)
        assert (cluster.volume(pod, "out") / "second").exists()


async def test_a_command_that_hangs_is_ended(cluster: Cluster) -> None:
    """A probe that takes too long has failed, and does not go on in the container."""
    async with client_of(cluster.apiserver) as client:
        await run(
            client,
            "hangs",
            """
            containers:
            - name: main
              command: [sleep, "1000"]
              readinessProbe: {exec: {command: [sleep, "98765"]}, periodSeconds: 1, timeoutSeconds: 1}
            """,
        )

        async def has_timed_out_often() -> bool:
            selection = Selection(field_selector="involvedObject.name=hangs,reason=Unhealthy")
            told = [event async for event in client.resource(Event, namespace=NAMESPACE).list(selection)]
            return any(event.count >= 3 and "command timed out" in event.message for event in told)

        await until(has_timed_out_often)
        # The one that is being made now.
        assert len(_commands("98765")) <= 1


def _commands(word: str) -> list[str]:
    """Commands on this machine that hold a word."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = (folder / "cmdline").read_bytes().split(b"\0")
            found += [folder.name] if word.encode() in command else []
    return found


async def test_the_end_of_the_kubelet_is_not_seen_by_containers(cluster: Cluster) -> None:
    """A ready pod stays ready over its kubelet's death, and its files follow again."""
    async with client_of(cluster.apiserver) as client:
        maps = client.resource(ConfigMap)
        stored = await maps.create(config_map("over", NAMESPACE, state="1"))
        pod = await run(
            client,
            "stays",
            """
            containers:
            - name: main
              command: [sleep, "1000"]
              volumeMounts: [{name: over, mountPath: /over}]
              startupProbe: {exec: {command: ["true"]}, periodSeconds: 1}
              readinessProbe: {exec: {command: ["true"]}, periodSeconds: 1}
            volumes: [{name: over, configMap: {name: over}}]
        """,
        )
        await until(lambda: is_ready(client, "stays"))
        before = await client.pods(NAMESPACE).get("stays")
        cluster.kubelet.kill()
        stored.data["state"] = "2"
        await maps.update(stored)
        cluster.kubelet.start()
        file = cluster.volume(pod, "over", "configmap") / "state"

        async def is_followed() -> bool:
            return file.read_text() == "2"

        await until(is_followed)
        after = await client.pods(NAMESPACE).get("stays")
        ready = [[one for one in found.status.conditions if one.type == "Ready"] for found in (before, after)]
        assert ready[0] == ready[1]
        assert after.status.containerStatuses[0].containerID == before.status.containerStatuses[0].containerID


async def test_what_a_pod_left_while_nobody_looked_is_removed(cluster: Cluster) -> None:
    """Volumes of a pod that was deleted while its kubelet was dead are unmounted and removed by the next one."""
    async with client_of(cluster.apiserver) as client:
        pods = client.pods(NAMESPACE)
        pod = await run(
            client,
            "leaves",
            """
            containers:
            - name: main
              command: [sleep, "1000"]
              volumeMounts: [{name: memory, mountPath: /memory}, {name: memory, mountPath: /part, subPath: a/b}]
            volumes: [{name: memory, emptyDir: {medium: Memory}}]
            """,
        )
        await until(lambda: is_ready(client, "leaves"))
        folder = cluster.kubelet.root / "pods" / pod.metadata.uid
        # The account's token, the memory and a part of it.
        assert len(KernelMounter().below(folder)) == 3
        cluster.kubelet.kill()
        await pods.delete("leaves", Deleting(grace_period_seconds=0))
        cluster.kubelet.start()
        await until(lambda: _is_gone(cluster, pod))
        assert not KernelMounter().below(folder)
