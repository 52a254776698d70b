"""ListWrites: what the ring of recent writes is asked."""

import pytest

from kubewire.api.meta.v1.group_kind_pb2 import GroupVersionResource
from kubewire.apiserver.contracts import Identity
from kubewire.apiserver.record.ring import WriteRecord, WriteRing
from kubewire.apiserver.rpc.context import RpcContext
from kubewire.apiserver.rpc.dispatcher import Dispatcher
from kubewire.machinery.errors import Reason, StatusError
from kubewire.rpc.v1.object_service_pb2 import ListWritesRequest, ListWritesResponse

PATH = "/kubewire.rpc.v1.ObjectService/ListWrites"
PODS = GroupVersionResource(group="", version="v1", resource="pods")


def fill(ring: WriteRing) -> None:
    """Four writes: two of pod a, one of pod b in another namespace, one of a node."""
    for revision, resource, namespace, name, verb in (
        (5, "pods", "default", "a", "create"),
        (6, "pods", "other", "b", "create"),
        (7, "nodes", "", "n", "create"),
        (8, "pods", "default", "a", "update"),
    ):
        ring.add(
            WriteRecord(resource, namespace, name, "uid", verb, "", revision, "admin", "me", "why", 1.5, 1.6, 1.75)
        )


async def ask(dispatcher: Dispatcher, context: RpcContext, request: ListWritesRequest) -> ListWritesResponse:
    """One call."""
    return ListWritesResponse.FromString(await dispatcher.unary(PATH, context, request.SerializeToString()))


async def test_writes_of_one_object(dispatcher: Dispatcher, context: RpcContext, ring: WriteRing) -> None:
    """The newest come last, with writer, cause and times."""
    fill(ring)
    request = ListWritesRequest(resource=PODS, namespace="default", name="a")
    response = await ask(dispatcher, context, request)
    assert [(write.verb, write.resource_version) for write in response.writes] == [("create", "5"), ("update", "8")]
    write = response.writes[1]
    assert (write.user, write.manager, write.cause, write.resource) == ("admin", "me", "why", PODS)
    assert write.received_time.ToMilliseconds() == 1500
    assert write.committed_time.ToMilliseconds() == 1750


async def test_writes_of_a_resource(dispatcher: Dispatcher, context: RpcContext, ring: WriteRing) -> None:
    """Without a name the whole resource is asked for, in one namespace or all; the limit keeps the newest."""
    fill(ring)
    everywhere = await ask(dispatcher, context, ListWritesRequest(resource=PODS))
    assert [write.resource_version for write in everywhere.writes] == ["5", "6", "8"]
    one = await ask(dispatcher, context, ListWritesRequest(resource=PODS, namespace="other"))
    assert [write.name for write in one.writes] == ["b"]
    newest = await ask(dispatcher, context, ListWritesRequest(resource=PODS, limit=1))
    assert [write.resource_version for write in newest.writes] == ["8"]


async def test_only_who_may_list_may_ask(dispatcher: Dispatcher, ring: WriteRing) -> None:
    """A caller without rights learns nothing."""
    fill(ring)
    stranger = RpcContext(Identity("stranger", groups=("system:authenticated",)))
    with pytest.raises(StatusError) as caught:
        await ask(dispatcher, stranger, ListWritesRequest(resource=PODS))
    assert caught.value.reason == Reason.FORBIDDEN
