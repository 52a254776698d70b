"""ObjectService: any kind by group, version and resource, as runtime.Unknown."""

import pytest
from google.protobuf.message import Message

from kubewire.api.core.v1.pod_pb2 import Pod, PodList
from kubewire.api.meta.v1.group_kind_pb2 import GroupVersionResource
from kubewire.api.meta.v1.object_meta_pb2 import PartialObjectMetadata, PartialObjectMetadataList
from kubewire.api.meta.v1.status_pb2 import Status
from kubewire.api.runtime.runtime_pb2 import TypeMeta, Unknown
from kubewire.apiserver.item import Batch, Event
from kubewire.apiserver.rpc.context import RpcContext
from kubewire.apiserver.rpc.dispatcher import Dispatcher
from kubewire.machinery.errors import Reason, StatusError
from kubewire.machinery.resources import Resource
from kubewire.rpc.v1 import object_service_pb2 as api
from kubewire.rpc.v1 import options_pb2
from tests.memory_objects import MemoryObjects, added

SERVICE = "/kubewire.rpc.v1.ObjectService/"
PODS = GroupVersionResource(version="v1", resource="pods")


class Caller:
    """Calls ObjectService as the admin."""

    def __init__(self, dispatcher: Dispatcher, context: RpcContext) -> None:
        self.dispatcher = dispatcher
        self.context = context

    async def __call__(self, method: str, request: Message) -> bytes:
        return await self.dispatcher.unary(SERVICE + method, self.context, request.SerializeToString())

    async def unknown(self, method: str, request: Message) -> tuple[str, str, bytes]:
        """The answer's apiVersion, kind and raw."""
        answer = Unknown.FromString(await self(method, request))
        return answer.typeMeta.apiVersion, answer.typeMeta.kind, answer.raw


@pytest.fixture
def call(dispatcher: Dispatcher, context: RpcContext) -> Caller:
    """Calls as the admin."""
    return Caller(dispatcher, context)


def wrapped(pod: Pod, kind: str = "Pod", api_version: str = "v1") -> Unknown:
    """A pod as ObjectService takes it."""
    return Unknown(typeMeta=TypeMeta(apiVersion=api_version, kind=kind), raw=pod.SerializeToString())


def named(name: str, namespace: str = "") -> Pod:
    """A pod as a client makes it."""
    pod = Pod()
    pod.metadata.name = name
    if namespace:
        pod.metadata.namespace = namespace
    return pod


async def test_get_says_what_it_is(call: Caller, three_pods: list[Pod]) -> None:
    """The object comes with its type; with the metadata view it is PartialObjectMetadata of the same metadata."""
    request = api.GetRequest(resource=PODS, namespace="default", name="a")
    assert await call.unknown("Get", request) == ("v1", "Pod", three_pods[0].SerializeToString(deterministic=True)) or (
        Pod.FromString((await call.unknown("Get", request))[2]) == three_pods[0]
    )
    request.view = options_pb2.OBJECT_VIEW_METADATA
    api_version, kind, raw = await call.unknown("Get", request)
    assert (api_version, kind) == ("meta.k8s.io/v1", "PartialObjectMetadata")
    assert PartialObjectMetadata.FromString(raw).metadata == three_pods[0].metadata
    assert not Pod.FromString(raw).HasField("spec")


async def test_list_holds_the_typed_list(call: Caller, three_pods: list[Pod]) -> None:
    """Raw holds the bytes the typed method would answer with; the metadata view holds a list of metadata."""
    request = api.ListRequest(resource=PODS, namespace="default")
    api_version, kind, raw = await call.unknown("List", request)
    assert (api_version, kind) == ("v1", "PodList")
    assert list(PodList.FromString(raw).items) == three_pods
    request.view = options_pb2.OBJECT_VIEW_METADATA
    api_version, kind, raw = await call.unknown("List", request)
    assert (api_version, kind) == ("meta.k8s.io/v1", "PartialObjectMetadataList")
    found = PartialObjectMetadataList.FromString(raw)
    assert [item.metadata for item in found.items] == [pod.metadata for pod in three_pods]
    assert found.metadata.resourceVersion == "13"


async def test_watch_sends_objects_with_their_type(
    dispatcher: Dispatcher, context: RpcContext, objects: MemoryObjects, three_pods: list[Pod]
) -> None:
    """Events carry runtime.Unknown, bookmarks too."""
    request = api.WatchRequest(resource=PODS)
    messages = await dispatcher.stream(SERVICE + "Watch", context, request.SerializeToString())
    item = next(iter(objects.items.values()))
    objects.watches[0].queue.put_nowait(Batch([added(item), Event("BOOKMARK", None, None, 30)]))
    objects.watches[0].queue.put_nowait(None)
    [message] = [api.WatchResponse.FromString(message) async for message in messages]
    await messages.aclose()
    assert [event.type for event in message.events] == ["ADDED", "BOOKMARK"]
    assert message.events[0].object.typeMeta.kind == "Pod"
    assert Pod.FromString(message.events[0].object.raw) == three_pods[0]
    assert Pod.FromString(message.events[1].object.raw).metadata.resourceVersion == "30"


async def test_create_by_resource_or_by_type(call: Caller, objects: MemoryObjects) -> None:
    """The kind may be named by the request or by the object."""
    by_resource = api.CreateRequest(resource=PODS, namespace="x", object=Unknown(raw=named("a").SerializeToString()))
    assert (await call.unknown("Create", by_resource))[1] == "Pod"
    by_type = api.CreateRequest(object=wrapped(named("b", "x")))
    assert (await call.unknown("Create", by_type))[1] == "Pod"
    assert [key[2] for key in objects.items] == ["a", "b"]
    with pytest.raises(StatusError, match="resource: want group, version and resource, or an object whose typeMeta"):
        await call("Create", api.CreateRequest(object=Unknown(raw=named("c", "x").SerializeToString())))


async def test_create_batch_refuses_other_kinds(call: Caller) -> None:
    """A batch is of one resource; an object that says it is something else is refused before anything is written."""
    request = api.CreateBatchRequest(resource=PODS, namespace="x", objects=[wrapped(named("a"))])
    response = api.CreateBatchResponse.FromString(await call("CreateBatch", request))
    assert [result.object.typeMeta.kind for result in response.results] == ["Pod"]
    request = api.CreateBatchRequest(resource=PODS, namespace="x", objects=[wrapped(named("b"), "Node")])
    with pytest.raises(StatusError, match="objects: want Pod in v1, got Node in v1"):
        await call("CreateBatch", request)


async def test_update_delete_and_subresources(call: Caller, objects: MemoryObjects, three_pods: list[Pod]) -> None:
    """Names come from the object where the request has none; a subresource is named by the request."""
    await call("Update", api.UpdateRequest(resource=PODS, object=wrapped(three_pods[0]), subresource="status"))
    await call("Delete", api.DeleteRequest(resource=PODS, namespace="default", name="b"))
    asked = [(verb, found.namespace, found.name, found.subresource) for verb, found, _ in objects.calls]
    assert asked == [("update", "default", "a", "status"), ("delete", "default", "b", "")]


async def test_binding_answers_with_a_status(call: Caller) -> None:
    """What binds or evicts a pod answers with Status, as its typed method does."""
    request = api.CreateRequest(
        resource=PODS, namespace="default", name="a", subresource="binding", object=wrapped(named("a"), "Binding")
    )
    api_version, kind, raw = await call.unknown("Create", request)
    assert (api_version, kind, Status.FromString(raw).status) == ("v1", "Status", "Success")


@pytest.mark.parametrize(
    ("request_", "reason", "words"),
    [
        (
            api.GetRequest(resource=GroupVersionResource(version="v1", resource="things"), name="a"),
            Reason.NOT_FOUND,
            "no resource 'things' of group '' in version 'v1'",
        ),
        (api.GetRequest(name="a"), Reason.BAD_REQUEST, "resource: want group, version and resource"),
        (
            api.GetRequest(resource=PODS, namespace="x", name="a", subresource="log"),
            Reason.METHOD_NOT_ALLOWED,
            "get is not supported",
        ),
        (
            api.GetRequest(resource=PODS, namespace="x", name="a", subresource="nothing"),
            Reason.NOT_FOUND,
            "no subresource 'nothing' of pods",
        ),
        (api.GetRequest(resource=PODS, name="a"), Reason.BAD_REQUEST, "namespace: pods need one in the request"),
        (api.GetRequest(resource=PODS, namespace="x"), Reason.BAD_REQUEST, "name: get needs the name of one of pods"),
        (
            api.GetRequest(resource=GroupVersionResource(version="v1", resource="nodes"), namespace="x", name="a"),
            Reason.BAD_REQUEST,
            "namespace: nodes are cluster-scoped, want none",
        ),
        (
            api.GetRequest(
                resource=GroupVersionResource(group="authentication.k8s.io", version="v1", resource="tokenreviews"),
                name="a",
            ),
            Reason.METHOD_NOT_ALLOWED,
            "get is not supported on resources of kind",
        ),
    ],
)
async def test_what_is_not_there_is_refused(
    call: Caller, objects: MemoryObjects, request_: api.GetRequest, reason: str, words: str
) -> None:
    """What is wrong is told by field or by name, and the core is not asked."""
    with pytest.raises(StatusError) as caught:
        await call("Get", request_)
    assert caught.value.reason == reason
    assert words in caught.value.message
    assert objects.calls == []


async def test_other_content_types_are_refused(call: Caller) -> None:
    """Objects travel as protobuf; ObjectService.Apply takes manifests."""
    request = api.CreateRequest(resource=PODS, namespace="x", object=Unknown(raw=b"{}", contentType="application/json"))
    with pytest.raises(StatusError) as caught:
        await call("Create", request)
    assert caught.value.reason == Reason.UNSUPPORTED_MEDIA_TYPE


async def test_scale_is_answered_as_scale(call: Caller, objects: MemoryObjects, pods: Resource) -> None:
    """A subresource that exchanges another kind is answered with that kind's type."""
    deployments = GroupVersionResource(group="apps", version="v1", resource="deployments")
    request = api.GetRequest(resource=deployments, namespace="x", name="d", subresource="scale")
    assert pods.subresources["eviction"].kind.kind == "Eviction"
    with pytest.raises(StatusError, match="not found"):
        await call("Get", request)
    item = objects.put(pods, named("d", "x").SerializeToString())
    asked = objects.calls[0][1]
    objects.items[asked.resource, "x", "d"] = item
    assert (await call.unknown("Get", request))[:2] == ("autoscaling/v1", "Scale")
