"""TCP, gRPC and command probes."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from kubewire.kubelet.contracts import ExecResult
from kubewire.kubelet.errors import RuntimeCallError
from kubewire.kubelet.probes.checks import Checks, Target
from kubewire.kubelet.probes.reply import SUCCESS, Outcome, ProbeError, Reply
from kubewire.kubelet.probes.spec import probes_of
from tests.etcd_process import find_free_port
from tests.integration.kubelet.probes.servers import talking
from tests.unit.kubelet.manifests import pod_of


class Runs:
    """Commands in containers: what they come to, and what was asked."""

    def __init__(self, result: ExecResult | Exception | None = None) -> None:
        self.result = result or ExecResult(0, b"")
        self.asked: list[tuple[str, Sequence[str], float]] = []

    async def exec_sync(self, container_id: str, command: Sequence[str], timeout_seconds: float) -> ExecResult:
        self.asked.append((container_id, command, timeout_seconds))
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


async def probe(handler: str, runs: Runs | None = None, rest: str = "") -> Reply:
    """Probe a container on the loopback address; `handler` in YAML."""
    container = pod_of(f"containers: [{{name: main, livenessProbe: {{{handler}}}{rest}}}]").spec.containers[0]
    [spec] = probes_of(container)
    return await Checks(runs or Runs())(spec, Target(container, "id-1", "127.0.0.1"))


@asynccontextmanager
async def healthy(**statuses: str) -> AsyncIterator[int]:
    """A gRPC server with services of these states; gives its port."""
    server = grpc.aio.server()
    servicer = health.aio.HealthServicer()
    for name, status in statuses.items():
        await servicer.set("" if name == "whole" else name, health_pb2.HealthCheckResponse.ServingStatus.Value(status))
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield port
    finally:
        await server.stop(0)


async def test_tcp() -> None:
    """A port that takes connections is good, and one that refuses them is not."""
    async with talking(b"", closes=False) as port:
        assert await probe(f"tcpSocket: {{port: {port}}}") == SUCCESS
        assert await probe("tcpSocket: {port: db}", rest=f", ports: [{{name: db, containerPort: {port}}}]") == SUCCESS
    closed = find_free_port()
    reply = await probe(f"tcpSocket: {{port: {closed}}}")
    assert reply == Reply(Outcome.FAILURE, f"dial tcp 127.0.0.1:{closed}: connect: connection refused", refused=True)
    assert (await probe(f"tcpSocket: {{port: {closed}, host: localhost}}")).outcome == Outcome.FAILURE


async def test_grpc() -> None:
    """Each service for itself, and the empty name for the server as a whole."""
    async with healthy(whole="SERVING", db="NOT_SERVING") as port:
        assert await probe(f"grpc: {{port: {port}}}") == SUCCESS
        reply = await probe(f"grpc: {{port: {port}, service: db}}")
        assert reply == Reply(Outcome.FAILURE, 'service unhealthy (responded with "NOT_SERVING")')
        reply = await probe(f"grpc: {{port: {port}, service: none}}")
        assert reply.outcome == Outcome.FAILURE


async def test_grpc_servers_without_health() -> None:
    """It says what is missing."""
    server = grpc.aio.server()
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        reply = await probe(f"grpc: {{port: {port}}}")
    finally:
        await server.stop(0)
    assert reply == Reply(Outcome.FAILURE, f"error: 127.0.0.1:{port} does not serve grpc.health.v1.Health")


async def test_grpc_that_nobody_serves() -> None:
    """A refused connection, and one that never answers."""
    reply = await probe(f"grpc: {{port: {find_free_port()}}}")
    assert reply.outcome == Outcome.FAILURE
    assert reply.refused

    async with talking(b"", closes=False) as port:
        reply = await probe(f"grpc: {{port: {port}}}, timeoutSeconds: 1")
    assert (reply.outcome, reply.refused) == (Outcome.FAILURE, False)


async def test_commands() -> None:
    """The exit code decides, and what it said is told; variables whose values the spec has are expanded."""
    runs = Runs()
    env = ", env: [{name: A, value: a}, {name: B, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]"
    assert await probe("exec: {command: [check, $(A), $(B)]}, timeoutSeconds: 7", runs, env) == SUCCESS
    assert runs.asked == [("id-1", ["check", "a", "$(B)"], 7.0)]
    reply = await probe("exec: {command: [x]}", Runs(ExecResult(3, b"no \xff file")))
    assert reply == Reply(Outcome.FAILURE, "no \ufffd file")
    assert len((await probe("exec: {command: [x]}", Runs(ExecResult(1, b"y" * 20_000)))).output) == 10 << 10


async def test_commands_that_take_too_long_fail() -> None:
    """The command and its time are told."""
    reply = await probe("exec: {command: [sleep, '9']}, timeoutSeconds: 2", Runs(TimeoutError()))
    assert reply == Reply(Outcome.FAILURE, "command timed out: 'sleep 9' did not end within 2s")


async def test_a_runtime_that_is_away_says_nothing_about_the_container() -> None:
    """The probe was not made."""
    with pytest.raises(ProbeError, match="no socket"):
        await probe("exec: {command: [x]}", Runs(RuntimeCallError("ExecSync", "UNAVAILABLE", "no socket")))


async def test_a_probe_of_nothing() -> None:
    """It cannot be made."""
    with pytest.raises(ProbeError, match="want one of exec"):
        await probe("periodSeconds: 1")
