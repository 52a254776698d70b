"""The gRPC face over objects in memory."""

import pytest

from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.apiserver.auth.authorization import Authorization
from kubewire.apiserver.contracts import Identity
from kubewire.apiserver.metrics import ApiServerMetrics
from kubewire.apiserver.record.ring import WriteRing
from kubewire.apiserver.rpc.context import RpcContext
from kubewire.apiserver.rpc.dispatcher import Dispatcher
from kubewire.apiserver.rpc.writes import Writes
from kubewire.component.metrics.registry import Registry
from kubewire.machinery import resources
from kubewire.machinery.resources import Resource
from tests.memory_objects import MemoryObjects


@pytest.fixture
def objects() -> MemoryObjects:
    """What the face asks."""
    return MemoryObjects()


@pytest.fixture
def ring() -> WriteRing:
    """Recent writes."""
    return WriteRing()


@pytest.fixture
def metrics() -> ApiServerMetrics:
    """Where calls are counted."""
    return ApiServerMetrics(Registry())


@pytest.fixture
def dispatcher(objects: MemoryObjects, ring: WriteRing, metrics: ApiServerMetrics) -> Dispatcher:
    """The face."""
    return Dispatcher(objects, Writes(ring, Authorization()), resources.builtin(), metrics)


@pytest.fixture
def context() -> RpcContext:
    """An admin who says why."""
    return RpcContext(Identity("admin", groups=("system:masters",)), "tests/1.0", "pods/default/a@7")


@pytest.fixture
def pods() -> Resource:
    """The resource most tests are about."""
    found = resources.builtin().by_plural("", "v1", "pods")
    assert found is not None
    return found


@pytest.fixture
def three_pods(objects: MemoryObjects, pods: Resource) -> list[Pod]:
    """Pods a, b and c in the namespace default, as they are stored."""
    stored = []
    for name in "abc":
        pod = Pod()
        pod.metadata.name, pod.metadata.namespace = name, "default"
        pod.metadata.labels["app"] = name
        pod.spec.nodeName = f"node-{name}"
        stored.append(Pod.FromString(objects.put(pods, pod.SerializeToString()).raw))
    return stored
