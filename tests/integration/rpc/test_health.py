"""grpc.health.v1 as its protocol has it; anyone may ask."""

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from tests.apiserver_process import ApiServerProcess
from tests.integration.rpc.conftest import Client

HEALTH = "/grpc.health.v1.Health/"


@pytest.fixture
def anyone(client: Client) -> Client:
    """A caller without a token."""
    return Client(client.channel)


async def test_check_tells_readiness(anyone: Client) -> None:
    """The server and each of its services serve."""
    for service in ("", "kubewire.rpc.v1.ObjectService", "kubewire.rpc.core.v1.PodService"):
        request = HealthCheckRequest(service=service).SerializeToString()
        answer = HealthCheckResponse.FromString(await anyone.unary(HEALTH + "Check", request))
        assert answer.status == HealthCheckResponse.SERVING, service


async def test_check_of_an_unknown_service(anyone: Client) -> None:
    """NOT_FOUND, as the protocol says."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await anyone.unary(HEALTH + "Check", HealthCheckRequest(service="x").SerializeToString())
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_watch_tells_at_once_and_stays_open(anyone: Client) -> None:
    """The status comes immediately; for an unknown service it is SERVICE_UNKNOWN and the stream stays."""
    for service, status in (("", HealthCheckResponse.SERVING), ("x", HealthCheckResponse.SERVICE_UNKNOWN)):
        call = anyone.stream(HEALTH + "Watch", HealthCheckRequest(service=service).SerializeToString())
        first = await call.read()
        assert isinstance(first, bytes)
        assert HealthCheckResponse.FromString(first).status == status
        assert not call.done()
        call.cancel()


async def test_list_names_all(anyone: Client) -> None:
    """Every service and the server itself, under the empty name."""
    listed = health_pb2.HealthListResponse.FromString(await anyone.unary(HEALTH + "List"))  # type: ignore[attr-defined]  # newer than its stubs
    assert {response.status for response in listed.statuses.values()} == {HealthCheckResponse.SERVING}
    assert {"", "kubewire.rpc.v1.ObjectService", "grpc.health.v1.Health"} <= set(listed.statuses)


async def test_malformed_requests_are_refused(anyone: Client) -> None:
    """Bytes that are no request."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await anyone.unary(HEALTH + "Check", b"\x0a\xff")
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_over_tls_without_a_token(apiserver: ApiServerProcess) -> None:
    """Load balancers have no tokens."""
    credentials = grpc.ssl_channel_credentials(apiserver.ca.read_bytes())
    async with grpc.aio.secure_channel(apiserver.grpc, credentials) as channel:
        answer = await Client(channel).unary(HEALTH + "Check")
    assert HealthCheckResponse.FromString(answer).status == HealthCheckResponse.SERVING
