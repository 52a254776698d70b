"""The API server as a process: how it starts, ends, loses etcd and finds it again."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import grpc.aio
import pytest
from grpc_health.v1.health_pb2 import HealthCheckResponse

from kubewire.api.core.v1.config_map_pb2 import ConfigMap
from kubewire.apiserver.etcd.client import EtcdClient
from kubewire.apiserver.etcd.options import EtcdOptions
from kubewire.client.transport.failures import status_error
from kubewire.machinery.errors import Reason
from kubewire.rpc.core.v1 import config_map_service_pb2 as api
from tests.apiserver_process import ApiServerProcess, running_apiserver
from tests.etcd_process import EtcdProcess, find_free_port

SERVICE = "/kubewire.rpc.core.v1.ConfigMapService/"
HEALTH = "/grpc.health.v1.Health/"
CALL_SECONDS = 30.0


class Caller:
    """The admin on one channel."""

    def __init__(self, channel: grpc.aio.Channel, token: str) -> None:
        self.channel = channel
        self.metadata = (("authorization", f"Bearer {token}"),)

    async def __call__(self, path: str, request: bytes = b"") -> bytes:
        method: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = self.channel.unary_unary(path)
        return await method(request, metadata=self.metadata, timeout=CALL_SECONDS, wait_for_ready=True)

    async def create(self, name: str) -> ConfigMap:
        """A ConfigMap in the namespace default."""
        request = api.CreateConfigMapRequest(namespace="default")
        request.config_map.metadata.name = name
        return ConfigMap.FromString(await self(SERVICE + "CreateConfigMap", request.SerializeToString()))

    async def get(self, name: str, resource_version: str = "") -> ConfigMap:
        """The same, read at a version."""
        request = api.GetConfigMapRequest(namespace="default", name=name)
        request.options.resourceVersion = resource_version
        return ConfigMap.FromString(await self(SERVICE + "GetConfigMap", request.SerializeToString()))

    def watch(self, resource_version: str = "") -> "grpc.aio.UnaryStreamCall[bytes, bytes]":
        """ConfigMaps from a version on."""
        request = api.WatchConfigMapsRequest(namespace="default")
        request.options.resourceVersion = resource_version
        method: grpc.aio.UnaryStreamMultiCallable[bytes, bytes] = self.channel.unary_stream(SERVICE + "WatchConfigMaps")
        return method(request.SerializeToString(), metadata=self.metadata, timeout=CALL_SECONDS)

    async def wait_until_serving(self, *, wanted: bool) -> None:
        """Wait until health says so."""
        method: grpc.aio.UnaryStreamMultiCallable[bytes, bytes] = self.channel.unary_stream(HEALTH + "Watch")
        call = method(b"", timeout=CALL_SECONDS)
        while True:
            answer = await call.read()
            assert isinstance(answer, bytes)
            if (HealthCheckResponse.FromString(answer).status == HealthCheckResponse.SERVING) is wanted:
                call.cancel()
                return


@asynccontextmanager
async def calling(server: ApiServerProcess) -> AsyncIterator[Caller]:
    """Calls to a server's port without TLS."""
    options = [("grpc.max_reconnect_backoff_ms", 200), ("grpc.initial_reconnect_backoff_ms", 50)]
    async with grpc.aio.insecure_channel(server.insecure_grpc, options=options) as channel:
        yield Caller(channel, server.token)


def run_once(*flags: str) -> subprocess.CompletedProcess[str]:
    """A server that is expected not to come up."""
    command = [sys.executable, "-m", "kubewire.apiserver.main", "--log-format=json", *flags]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_without_etcd_it_says_so_and_ends(tmp_path: Path) -> None:
    """Exit code 2 and one line that names the address, after the patience that was asked for."""
    done = run_once(
        f"--etcd-servers=http://127.0.0.1:{find_free_port()}", "--etcd-wait-seconds=0.3", f"--cert-dir={tmp_path}"
    )
    assert done.returncode == 2
    [line] = [json.loads(line) for line in done.stderr.splitlines() if "cannot start" in line]
    assert line["reason"].startswith("etcd at http://127.0.0.1:")
    assert "did not answer within 0.3 s" in line["reason"]


def test_a_port_that_is_taken_is_named(tmp_path: Path, etcd: str) -> None:
    """A second server on the same port does not start, and the first one is not disturbed."""
    with running_apiserver(tmp_path / "first", etcd) as first:
        done = run_once(
            f"--etcd-servers=http://{etcd}",
            "--bind-address=127.0.0.1",
            f"--grpc-port={first.ports['grpc']}",
            "--secure-port=0",
            f"--cert-dir={tmp_path / 'second'}",
        )
        assert done.returncode == 2
        assert f"cannot listen on 127.0.0.1:{first.ports['grpc']}" in done.stderr
        assert first.process is not None
        assert first.process.poll() is None


def test_wrong_settings_are_named(tmp_path: Path) -> None:
    """Before anything is loaded."""
    assert "--secure-port: want 0 to 65535, got 70000" in run_once("--secure-port=70000").stderr
    assert "tls_cert_file and tls_private_key_file: want both or none" in run_once("--tls-cert-file=x").stderr
    bad = tmp_path / "tokens.csv"
    bad.write_text("only-a-token\n")
    done = run_once(f"--token-file={bad}", f"--cert-dir={tmp_path / 'pki'}")
    assert done.returncode == 2
    assert "token_file" in done.stderr
    assert "line 1: want token,user,uid" in done.stderr


async def test_sigterm_drains(tmp_path: Path, etcd: str) -> None:
    """Watches end with UNAVAILABLE so that clients go elsewhere, a write under way is answered, the exit code is 0."""
    batch = api.CreateConfigMapsRequest(namespace="default")
    for number in range(1000):
        batch.config_maps.add().metadata.name = f"a{number}"
    with running_apiserver(tmp_path / "server", etcd) as server:
        async with calling(server) as caller:
            watch = caller.watch()
            await watch.initial_metadata()
            async with asyncio.TaskGroup() as group:
                creating = group.create_task(caller(SERVICE + "CreateConfigMaps", batch.SerializeToString()))
                # The first of them is there: the server is in the middle of the call.
                await watch.read()
                stopping = group.create_task(asyncio.to_thread(server.stop))
                with pytest.raises(grpc.aio.AioRpcError) as caught:
                    await drain(watch)
            assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
            assert "shutting down" in (caught.value.details() or "")
            assert stopping.result() == 0
            results = api.CreateConfigMapsResponse.FromString(creating.result()).results
            assert [result.object.metadata.name for result in results] == [f"a{number}" for number in range(1000)]


async def drain(call: "grpc.aio.UnaryStreamCall[bytes, bytes]") -> None:
    """Read a stream to its end."""
    while await call.read() is not grpc.aio.EOF:
        pass


async def test_a_restarted_server_is_the_same(tmp_path: Path, etcd: str) -> None:
    """Killed and started again: same certificate and token, and watches go on after the last version seen."""
    with running_apiserver(tmp_path / "server", etcd) as server:
        async with calling(server) as caller:
            seen = (await caller.create("before")).metadata.resourceVersion
            certificate = (tmp_path / "server/pki/apiserver.crt").read_bytes()
            await caller.create("while nobody watches".replace(" ", "-"))
            server.kill()
            server.start()
            assert (tmp_path / "server/pki/apiserver.crt").read_bytes() == certificate
            await caller.create("after")
            call, names = caller.watch(seen), list[str]()
            while len(names) < 2:
                message = await call.read()
                assert isinstance(message, bytes)
                events = api.WatchConfigMapsResponse.FromString(message).events
                names += [event.object.metadata.name for event in events]
            call.cancel()
            assert names == ["while-nobody-watches", "after"]


async def test_it_survives_the_loss_of_etcd(tmp_path: Path, etcd_process: EtcdProcess) -> None:
    """While etcd is away, reads from the cache go on and the rest says that it may be retried; then all is well."""
    with running_apiserver(tmp_path / "server", etcd_process.endpoint) as server:
        async with calling(server) as caller:
            created = await caller.create("a")
            watch = caller.watch(created.metadata.resourceVersion)
            etcd_process.kill()
            assert await caller.get("a", "0") == created
            for refused in (caller.get("a"), caller.create("b")):
                with pytest.raises(grpc.aio.AioRpcError) as caught:
                    await refused
                assert status_error(caught.value).reason in (
                    Reason.SERVER_TIMEOUT, Reason.TIMEOUT, Reason.SERVICE_UNAVAILABLE
                )  # fmt: skip
            await caller.wait_until_serving(wanted=False)
            etcd_process.start()
            await caller.wait_until_serving(wanted=True)
            again = await caller.create("c")
            message = await watch.read()
            assert isinstance(message, bytes)
            [event] = api.WatchConfigMapsResponse.FromString(message).events
            assert event.object == again
            assert server.process is not None
            assert server.process.poll() is None


async def test_history_that_was_compacted_is_out_of_range(tmp_path: Path, etcd: str) -> None:
    """A watch from a version nobody remembers tells its client to list again."""
    client = EtcdClient(EtcdOptions(endpoints=(etcd,)))
    with running_apiserver(tmp_path / "server", etcd) as server:
        async with calling(server) as caller:
            old = (await caller.create("a")).metadata.resourceVersion
            latest = (await caller.create("b")).metadata.resourceVersion
        server.kill()
        await client.compact(int(latest), physical=True)
        await client.close()
        server.start()
        async with calling(server) as caller:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await drain(caller.watch(old))
    assert caught.value.code() is grpc.StatusCode.OUT_OF_RANGE
    assert status_error(caught.value).reason == Reason.EXPIRED


async def test_two_servers_are_one_api(tmp_path: Path, etcd: str) -> None:
    """What one writes, the other reads at once: linearizable means all servers."""
    with running_apiserver(tmp_path / "one", etcd) as one, running_apiserver(tmp_path / "two", etcd) as two:
        async with calling(one) as first, calling(two) as second:
            for number in range(20):
                created = await first.create(f"a{number}")
                assert await second.get(f"a{number}") == created
