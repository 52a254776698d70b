"""`grpc`: a call to `grpc.health.v1.Health/Check` over a connection of its own, without TLS."""

from __future__ import annotations

from typing import Final

import grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from kubewire.api.core.v1.probe_pb2 import GRPCAction
from kubewire.kubelet.probes.http_get import USER_AGENT
from kubewire.kubelet.probes.ports import host_and_port, valid_port
from kubewire.kubelet.probes.reply import SUCCESS, Reply, failure

_OPTIONS: Final = (
    ("grpc.primary_user_agent", USER_AGENT),
    # Nothing is shared with other channels: each probe tries to connect anew, whatever became of the one before.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_retries", 0),
    ("grpc.enable_http_proxy", 0),
)
_METHOD: Final = "/grpc.health.v1.Health/Check"


async def grpc_check(action: GRPCAction, pod_ip: str, timeout_seconds: float) -> Reply:
    """Ask for the service the action names; an empty name is the server as a whole.

    Raises:
        ProbeError: the port has no number.
    """
    target = host_and_port(pod_ip, valid_port(action.port))
    # How long a connection may take that never gets to speak HTTP/2; without it gRPC keeps it open for 20 s.
    options = (*_OPTIONS, ("grpc.min_reconnect_backoff_ms", round(timeout_seconds * 1000)))
    async with grpc.aio.insecure_channel(target, options=options) as channel:
        check = channel.unary_unary(
            _METHOD,
            request_serializer=HealthCheckRequest.SerializeToString,
            response_deserializer=HealthCheckResponse.FromString,
        )
        try:
            response = await check(HealthCheckRequest(service=action.service), timeout=timeout_seconds)
        except grpc.aio.AioRpcError as error:
            return failure(_why(error, target, timeout_seconds), refused=_is_refused(error))
    if response.status == HealthCheckResponse.SERVING:
        return SUCCESS
    status = HealthCheckResponse.ServingStatus.Name(response.status)
    return failure(f'service unhealthy (responded with "{status}")')


def _is_refused(error: grpc.aio.AioRpcError) -> bool:
    """Whether nothing listens; gRPC says so in words only."""
    return error.code() is grpc.StatusCode.UNAVAILABLE and "Connection refused" in (error.details() or "")


def _why(error: grpc.aio.AioRpcError, target: str, timeout_seconds: float) -> str:
    match error.code():
        case grpc.StatusCode.UNIMPLEMENTED:
            return f"error: {target} does not serve grpc.health.v1.Health"
        case grpc.StatusCode.DEADLINE_EXCEEDED:
            return f"timeout: {target} did not answer within {timeout_seconds:g}s"
        case _:
            return f"error: health check of {target} failed: {error.details() or error.code().name}"
