"""Whatever bytes arrive, the answer is one of the API's errors or an answer, never a fault of ours."""

import asyncio
import logging

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kubewire.apiserver.auth.authorization import Authorization
from kubewire.apiserver.contracts import Identity
from kubewire.apiserver.metrics import ApiServerMetrics
from kubewire.apiserver.record.ring import WriteRing
from kubewire.apiserver.rpc.context import RpcContext
from kubewire.apiserver.rpc.dispatcher import Dispatcher
from kubewire.apiserver.rpc.methods import Method
from kubewire.apiserver.rpc.writes import Writes
from kubewire.component.metrics.registry import Registry
from kubewire.machinery import resources
from kubewire.machinery.errors import StatusError
from kubewire.rpc.v1.raw_pb2 import RawRequest
from tests.memory_objects import MemoryObjects

TABLE = resources.builtin()


def make() -> Dispatcher:
    """A face over nothing."""
    writes = Writes(WriteRing(), Authorization())
    return Dispatcher(MemoryObjects(), writes, TABLE, ApiServerMetrics(Registry()))


def methods() -> list[Method]:
    """Methods of a namespaced kind, a cluster-scoped one, one with a scale, and of ObjectService."""
    table = make()._methods
    services = [name for name in table.services if name.endswith(("v1.ObjectService", "core.v1.PodService"))]
    services += ["kubewire.rpc.core.v1.NodeService", "kubewire.rpc.apps.v1.DeploymentService"]
    return [method for service in services for method in table._methods(service)]


METADATA = st.sampled_from([b"", b"\x0a\x03\x0a\x01a", b"\x0a\x06\x0a\x01a\x1a\x01n", b"\x0a\xff", b"\xff"])
PIECES = st.lists(st.one_of(METADATA, st.binary(max_size=40)), max_size=4)
REQUESTS = st.builds(
    RawRequest,
    namespace=st.sampled_from(["", "n", "é"]),
    names=st.lists(st.sampled_from(["", "a", "b"]), max_size=3),
    objects=PIECES,
    options=st.lists(st.binary(max_size=30), max_size=2),
    patch_type=st.integers(-1, 6),
    patch=st.binary(max_size=10),
    selection=st.lists(st.binary(max_size=10), max_size=1),
    view=st.integers(-1, 5),
    batch_window_milliseconds=st.integers(-(2**31), 2**31 - 1),
    resource=st.lists(
        st.one_of(st.binary(max_size=10), st.just(b"\x12\x02v1\x1a\x04pods"), st.just(b"\x12\x02v1\x1a\x05nodes")),
        max_size=1,
    ),
    subresource=st.sampled_from(["", "status", "log", "binding", "x"]),
    limit=st.integers(-5, 5),
).map(RawRequest.SerializeToString)


async def serve(method: Method, data: bytes) -> None:
    """One call; what a caller may see is swallowed."""
    context = RpcContext(Identity("fuzz", groups=("system:masters",)))
    dispatcher = make()
    try:
        if method.is_stream:
            await (await dispatcher.open(method, context, data)).aclose()
        else:
            await dispatcher.call(method, context, data)
    except StatusError as error:
        assert error.code < 500, f"{method.path} {data!r}: {error}"  # noqa: PT017 - any other error fails the test too


@pytest.mark.parametrize("method", methods(), ids=lambda method: method.path.rpartition(".")[2])
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example(data=b"")
@example(data=b"\x0a\xff")
@given(data=st.one_of(st.binary(max_size=60), REQUESTS))
def test_no_bytes_are_a_fault_of_ours(method: Method, data: bytes) -> None:
    """Random bytes, and requests with fields of the right types and wrong content."""
    logging.getLogger("kubewire").setLevel(logging.CRITICAL)
    asyncio.run(serve(method, data))
