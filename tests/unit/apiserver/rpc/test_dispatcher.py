"""Typed services: each method asks the core for the right thing and answers in its own message."""

import asyncio
import logging

import pytest
from google.protobuf.message import Message

from kubewire.api.apps.v1.deployment_pb2 import Deployment
from kubewire.api.core.v1.binding_pb2 import Binding
from kubewire.api.core.v1.node_pb2 import Node
from kubewire.api.core.v1.pod_pb2 import Pod, PodList
from kubewire.api.meta.v1.status_pb2 import Status
from kubewire.apiserver.contracts import Patch, PatchType
from kubewire.apiserver.item import Batch, Event
from kubewire.apiserver.metrics import ApiServerMetrics
from kubewire.apiserver.options import DeleteOptions, GetOptions, ListOptions, Preconditions, WatchOptions, WriteOptions
from kubewire.apiserver.rpc.context import RpcContext
from kubewire.apiserver.rpc.dispatcher import Dispatcher
from kubewire.machinery import errors
from kubewire.machinery.errors import Reason, StatusError
from kubewire.machinery.resources import Resource
from kubewire.rpc.apps.v1 import deployment_service_pb2 as apps
from kubewire.rpc.core.v1 import node_service_pb2 as nodes_api
from kubewire.rpc.core.v1 import pod_service_pb2 as api
from kubewire.rpc.v1 import options_pb2
from tests.memory_objects import MemoryObjects, added

PODS = "/kubewire.rpc.core.v1.PodService/"


class Caller:
    """Calls methods with messages."""

    def __init__(self, dispatcher: Dispatcher, context: RpcContext) -> None:
        self.dispatcher = dispatcher
        self.context = context

    async def __call__(self, path: str, request: Message) -> bytes:
        return await self.dispatcher.unary(path, self.context, request.SerializeToString())


@pytest.fixture
def call(dispatcher: Dispatcher, context: RpcContext) -> Caller:
    """Calls as the admin."""
    return Caller(dispatcher, context)


def new_pod(name: str, namespace: str = "") -> Pod:
    """A pod as a client makes it."""
    pod = Pod()
    pod.metadata.name = name
    if namespace:
        pod.metadata.namespace = namespace
    return pod


async def test_get_answers_with_the_stored_bytes(call: Caller, objects: MemoryObjects, three_pods: list[Pod]) -> None:
    """The answer is the object as it is held, and the core learns who asks, from what and why."""
    answer = await call(PODS + "GetPod", api.GetPodRequest(namespace="default", name="b"))
    assert Pod.FromString(answer) == three_pods[1]
    assert answer == next(item.raw for key, item in objects.items.items() if key[2] == "b")
    [(verb, asked, options)] = objects.calls
    assert (verb, options) == ("get", GetOptions())
    assert (asked.identity.name, asked.namespace, asked.name) == ("admin", "default", "b")
    assert (asked.user_agent, asked.cause) == ("tests/1.0", "pods/default/a@7")
    assert asked.received_seconds > 0


async def test_errors_of_the_core_pass(call: Caller) -> None:
    """What the core raises reaches the caller as it is."""
    with pytest.raises(StatusError, match='pods "x" not found') as caught:
        await call(PODS + "GetPod", api.GetPodRequest(namespace="default", name="x"))
    assert caught.value.reason == Reason.NOT_FOUND


async def test_list_is_the_list_message_with_version_and_token(call: Caller, three_pods: list[Pod]) -> None:
    """Items are joined as they are; version, token and the count of what follows stand in the list's metadata."""
    request = api.ListPodsRequest(namespace="default")
    request.options.limit = 2
    page = PodList.FromString(await call(PODS + "ListPods", request))
    assert list(page.items) == three_pods[:2]
    assert (page.metadata.resourceVersion, page.metadata.remainingItemCount) == ("13", 1)
    setattr(request.options, "continue", getattr(page.metadata, "continue"))
    rest = PodList.FromString(await call(PODS + "ListPods", request))
    assert list(rest.items) == three_pods[2:]
    assert not rest.metadata.HasField("continue")
    assert not rest.metadata.HasField("remainingItemCount")


async def test_list_options_reach_the_core(call: Caller, objects: MemoryObjects) -> None:
    """Selectors, versions and limits are passed on as text; without a limit the server chooses one."""
    request = api.ListPodsRequest()
    request.options.labelSelector, request.options.fieldSelector = "a=b", "spec.nodeName=n"
    request.options.resourceVersion, request.options.resourceVersionMatch = "5", "Exact"
    await call(PODS + "ListPods", request)
    assert objects.calls[0][2] == ListOptions("a=b", "spec.nodeName=n", 512, "", "5", "Exact")


async def test_create_names_the_namespace_by_request_or_object(call: Caller, objects: MemoryObjects) -> None:
    """A create goes to the request's namespace, or to the object's where the request names none."""
    answer = Pod.FromString(await call(PODS + "CreatePod", api.CreatePodRequest(namespace="one", pod=new_pod("a"))))
    assert (answer.metadata.namespace, answer.metadata.resourceVersion) == ("one", "11")
    await call(PODS + "CreatePod", api.CreatePodRequest(pod=new_pod("a", "two")))
    assert [asked.namespace for _, asked, _ in objects.calls] == ["one", "two"]
    with pytest.raises(StatusError, match="namespace: pods need one in the request or in the object's metadata"):
        await call(PODS + "CreatePod", api.CreatePodRequest(pod=new_pod("a")))


async def test_write_options_reach_the_core(call: Caller, objects: MemoryObjects) -> None:
    """Dry run, manager and validation are read from the options of the verb."""
    request = api.CreatePodRequest(namespace="one", pod=new_pod("a"))
    request.options.dryRun.append("All")
    request.options.fieldManager, request.options.fieldValidation = "me", "Strict"
    await call(PODS + "CreatePod", request)
    assert objects.calls[0][2] == WriteOptions(dry_run=True, field_manager="me", field_validation="Strict")


async def test_wrong_write_options_are_refused(call: Caller, objects: MemoryObjects) -> None:
    """A dry run of another kind than All is the error REST gives, and the core is not asked."""
    request = api.CreatePodRequest(namespace="one", pod=new_pod("a"))
    request.options.dryRun.append("Some")
    with pytest.raises(StatusError) as caught:
        await call(PODS + "CreatePod", request)
    assert caught.value.reason == Reason.INVALID
    assert 'CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value' in caught.value.message
    assert objects.calls == []


async def test_update_names_the_object_by_its_metadata(
    call: Caller, objects: MemoryObjects, three_pods: list[Pod]
) -> None:
    """Updates carry no name of their own."""
    await call(PODS + "UpdatePodStatus", api.UpdatePodStatusRequest(pod=three_pods[2]))
    [(verb, asked, _)] = objects.calls
    assert (verb, asked.namespace, asked.name, asked.subresource) == ("update", "default", "c", "status")
    with pytest.raises(StatusError, match="name: update needs the name of one of pods"):
        await call(PODS + "UpdatePod", api.UpdatePodRequest(namespace="default", pod=Pod()))


async def test_patch_passes_type_and_bytes(call: Caller, objects: MemoryObjects, three_pods: list[Pod]) -> None:
    """A patch reaches the core unread, and a patch without a type is refused."""
    request = api.PatchPodRequest(namespace="default", name="a", patch=b'{"x":1}')
    with pytest.raises(StatusError, match="patch_type: want PATCH_TYPE_JSON, PATCH_TYPE_MERGE"):
        await call(PODS + "PatchPod", request)
    request.patch_type = options_pb2.PATCH_TYPE_MERGE
    answer = await call(PODS + "PatchPod", request)
    assert objects.calls[0][2] == (Patch(PatchType.MERGE, b'{"x":1}'), WriteOptions())
    assert Pod.FromString(answer) == three_pods[0]


async def test_apply_makes_a_manifest_of_set_fields(
    call: Caller, objects: MemoryObjects, three_pods: list[Pod]
) -> None:
    """Applying a typed object applies the fields that it has, under the manager that must be named."""
    pod = new_pod("a", "default")
    pod.spec.nodeName = "n"
    request = api.ApplyPodRequest(pod=pod)
    with pytest.raises(StatusError, match="fieldManager: Required value: is required for apply patch"):
        await call(PODS + "ApplyPod", request)
    request.options.fieldManager = "me"
    request.options.force = True
    await call(PODS + "ApplyPod", request)
    verb, asked, found = objects.calls[0]
    assert (verb, asked.name) == ("patch", "a")
    assert isinstance(found, tuple)
    patch, options = found
    assert patch.type is PatchType.APPLY_YAML
    assert b'"kind":"Pod"' in patch.data
    assert b'"nodeName":"n"' in patch.data
    assert b"null" not in patch.data
    assert b"status" not in patch.data
    assert options == WriteOptions(field_manager="me", force=True)


async def test_delete_answers_with_the_object(call: Caller, objects: MemoryObjects, three_pods: list[Pod]) -> None:
    """Options of a delete keep the difference between unset and zero."""
    request = api.DeletePodRequest(namespace="default", name="a")
    request.options.gracePeriodSeconds = 0
    request.options.propagationPolicy = "Orphan"
    request.options.preconditions.uid = "u"
    assert Pod.FromString(await call(PODS + "DeletePod", request)) == three_pods[0]
    want = DeleteOptions(grace_period_seconds=0, propagation_policy="Orphan", preconditions=Preconditions(uid="u"))
    assert objects.calls[0][2] == want


async def test_create_batch_answers_each_in_order(call: Caller, objects: MemoryObjects) -> None:
    """Results stand in the order of the request: an object, or the Status of its failure."""
    request = api.CreatePodsRequest(namespace="default", pods=[new_pod("a"), new_pod("a"), new_pod("b")])
    response = api.CreatePodsResponse.FromString(await call(PODS + "CreatePods", request))
    assert [result.object.metadata.name for result in response.results] == ["a", "", "b"]
    assert [result.status.reason for result in response.results] == ["", "AlreadyExists", ""]
    assert not response.results[1].HasField("object")
    assert [verb for verb, _, _ in objects.calls].count("create_many") == 1


async def test_create_batch_over_namespaces(call: Caller, objects: MemoryObjects) -> None:
    """Without a namespace in the request each object goes to its own; one that names none fails alone."""
    request = api.CreatePodsRequest(pods=[new_pod("a", "x"), new_pod("b"), new_pod("c", "y"), new_pod("d", "x")])
    response = api.CreatePodsResponse.FromString(await call(PODS + "CreatePods", request))
    found = [(result.object.metadata.namespace, result.status.reason) for result in response.results]
    assert found == [("x", ""), ("", "BadRequest"), ("y", ""), ("x", "")]
    assert sorted(asked.namespace for verb, asked, _ in objects.calls if verb == "create_many") == ["x", "y"]


async def test_batch_views(call: Caller) -> None:
    """A batch may answer with metadata only, or with nothing but success."""
    pod = new_pod("a")
    pod.spec.nodeName = "n"
    request = api.CreatePodsRequest(namespace="default", pods=[pod], view=options_pb2.OBJECT_VIEW_METADATA)
    response = api.CreatePodsResponse.FromString(await call(PODS + "CreatePods", request))
    assert response.results[0].object.metadata.resourceVersion == "11"
    assert not response.results[0].object.HasField("spec")
    pod.metadata.name = "b"
    request = api.CreatePodsRequest(namespace="default", pods=[pod], view=options_pb2.OBJECT_VIEW_NONE)
    response = api.CreatePodsResponse.FromString(await call(PODS + "CreatePods", request))
    assert len(response.results) == 1
    assert not response.results[0].HasField("object")
    assert not response.results[0].HasField("status")


async def test_too_large_a_batch_is_refused(call: Caller, objects: MemoryObjects) -> None:
    """A batch has a limit, since its answer has one; nothing of it is created."""
    request = api.CreatePodsRequest(namespace="default", pods=[Pod()] * 1001)
    with pytest.raises(StatusError, match="a batch has at most 1000 objects, this one has 1001"):
        await call(PODS + "CreatePods", request)
    assert objects.calls == []


async def test_delete_batch_by_name_and_by_selection(call: Caller, three_pods: list[Pod]) -> None:
    """Names get a result each; a selection answers with what was deleted; neither is refused."""
    by_name = api.DeletePodsRequest(namespace="default", names=["a", "x"])
    response = api.DeletePodsResponse.FromString(await call(PODS + "DeletePods", by_name))
    assert [result.status.reason for result in response.results] == ["", "NotFound"]
    with pytest.raises(StatusError, match="names or selection: want one of them"):
        await call(PODS + "DeletePods", api.DeletePodsRequest(namespace="default"))
    everything = api.DeletePodsRequest(namespace="default")
    everything.selection.SetInParent()
    response = api.DeletePodsResponse.FromString(await call(PODS + "DeletePods", everything))
    assert [result.object for result in response.results] == three_pods[1:]


async def test_delete_batch_needs_a_namespace(call: Caller) -> None:
    """Objects of all namespaces cannot be deleted by one call."""
    request = api.DeletePodsRequest()
    request.selection.SetInParent()
    with pytest.raises(StatusError, match="namespace: pods need one in the request"):
        await call(PODS + "DeletePods", request)


async def test_bind_answers_with_a_status(call: Caller, objects: MemoryObjects) -> None:
    """Binding one pod or many answers with Success, or with what went wrong, for each."""
    binding = Binding()
    binding.metadata.name, binding.metadata.namespace, binding.target.name = "a", "default", "n"
    status = Status.FromString(await call(PODS + "BindPod", api.BindPodRequest(name="a", binding=binding)))
    assert (status.status, status.code) == ("Success", 201)
    assert [(asked.namespace, asked.name, asked.subresource) for _, asked, _ in objects.calls] == [
        ("default", "a", "binding")
    ]
    request = api.BindPodsRequest(bindings=[binding, Binding()])
    response = api.BindPodsResponse.FromString(await call(PODS + "BindPods", request))
    assert [result.status for result in response.results] == ["Success", "Failure"]
    assert "namespace: want one in the request or in the object's metadata" in response.results[1].message


async def test_cluster_scoped_kinds_have_no_namespace(call: Caller, objects: MemoryObjects) -> None:
    """A node is created in no namespace, and a namespace in its metadata is left to the core to judge."""
    node = Node()
    node.metadata.name = "n"
    await call("/kubewire.rpc.core.v1.NodeService/CreateNode", nodes_api.CreateNodeRequest(node=node))
    assert objects.calls[0][1].namespace == ""


async def test_scale_exchanges_its_own_message(call: Caller, objects: MemoryObjects) -> None:
    """A subresource of another kind is asked for by its name."""
    table = objects.items
    assert not table
    path = "/kubewire.rpc.apps.v1.DeploymentService/GetDeploymentScale"
    with pytest.raises(StatusError, match=r'deployments.apps "d" not found'):
        await call(path, apps.GetDeploymentScaleRequest(namespace="default", name="d"))
    assert objects.calls[0][1].subresource == "scale"
    assert Deployment.DESCRIPTOR.name == "Deployment"


async def test_malformed_requests_are_bad_requests(
    dispatcher: Dispatcher, context: RpcContext, objects: MemoryObjects
) -> None:
    """Bytes that are no request, options that are none and objects that are none are 400, and the core is not asked."""
    truncated = b"\x0a\xff"
    no_options = b"\x0a\x01x\x12\x01y\x22\x01\xff"
    no_object = b"\x1a\x01\xff"
    for method, data in (("GetPod", truncated), ("GetPod", no_options), ("CreatePod", no_object)):
        with pytest.raises(StatusError) as caught:
            await dispatcher.unary(PODS + method, context, data)
        assert caught.value.reason == Reason.BAD_REQUEST
    assert objects.calls == []


async def test_unknown_methods_are_not_found(dispatcher: Dispatcher, context: RpcContext) -> None:
    """A path that no service has, and a stream called as if it answered once."""
    for path in ("/x/y", PODS + "WatchPods"):
        with pytest.raises(StatusError, match="could not find the requested method"):
            await dispatcher.unary(path, context, b"")


async def test_unexpected_failures_tell_nothing_of_the_inside(
    call: Caller, objects: MemoryObjects, caplog: pytest.LogCaptureFixture
) -> None:
    """The caller gets an incident's number; what happened stands in the log under that number."""
    objects.failure = RuntimeError("secret detail")
    with caplog.at_level(logging.ERROR, "kubewire"), pytest.raises(StatusError) as caught:
        await call(PODS + "GetPod", api.GetPodRequest(namespace="default", name="a"))
    assert caught.value.reason == Reason.INTERNAL_ERROR
    assert "secret" not in caught.value.message
    [record] = caplog.records
    assert record.exc_info is not None
    assert record.kubewire_keys["incident"] in caught.value.message  # type: ignore[attr-defined]  # set through `extra`


async def test_calls_are_counted(call: Caller, metrics: ApiServerMetrics, three_pods: list[Pod]) -> None:
    """A call counts under Kubernetes' verb, scope and code, and none is in flight afterwards."""
    await call(PODS + "GetPod", api.GetPodRequest(namespace="default", name="a"))
    with pytest.raises(StatusError):
        await call(PODS + "GetPod", api.GetPodRequest(namespace="default", name="x"))
    text = metrics.registry.render().decode()
    labels = 'component="apiserver",dry_run="",group="",resource="pods",scope="resource",subresource="",verb="GET"'
    assert f'apiserver_request_total{{code="200",{labels},version="v1"}} 1\n' in text
    assert f'apiserver_request_total{{code="404",{labels},version="v1"}} 1\n' in text
    await call(PODS + "CreatePod", api.CreatePodRequest(namespace="default", pod=new_pod("d")))
    created = labels.replace("GET", "POST")
    assert f'{{code="201",{created},version="v1"}} 1\n' in metrics.registry.render().decode()
    assert 'apiserver_current_inflight_requests{request_kind="readOnly"} 0\n' in text


async def test_cancellation_passes(call: Caller, objects: MemoryObjects, metrics: ApiServerMetrics) -> None:
    """A call that is cancelled ends as cancelled, not as an error of ours, and counts as aborted."""

    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    objects.get = never  # type: ignore[method-assign,assignment]  # a core that does not answer
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(call(PODS + "GetPod", api.GetPodRequest(namespace="default", name="a")), 0.01)
    text = metrics.registry.render().decode()
    assert 'apiserver_request_aborts_total{group="",resource="pods",scope="resource",subresource="",verb="GET"' in text
    assert "apiserver_request_total{" not in text


async def test_watch_streams_batches(
    dispatcher: Dispatcher, context: RpcContext, objects: MemoryObjects, pods: Resource, three_pods: list[Pod]
) -> None:
    """A batch is one message of typed events; a bookmark is an object with nothing but a version."""
    request = api.WatchPodsRequest(namespace="default")
    request.options.allowWatchBookmarks = True
    request.options.sendInitialEvents = True
    messages = await dispatcher.stream(PODS + "WatchPods", context, request.SerializeToString())
    items = list(objects.items.values())
    batch = Batch([added(items[0]), Event("DELETED", items[1], items[1], 20)])
    watch = objects.watches[0]
    watch.queue.put_nowait(batch)
    watch.queue.put_nowait(Batch([Event("BOOKMARK", None, None, 21, initial_end=True)]))
    watch.queue.put_nowait(None)
    received = [api.WatchPodsResponse.FromString(message) async for message in messages]
    await messages.aclose()
    assert [(event.type, event.object) for event in received[0].events] == [
        ("ADDED", three_pods[0]),
        ("DELETED", three_pods[1]),
    ]
    [bookmark] = received[1].events
    assert bookmark.type == "BOOKMARK"
    assert bookmark.object.metadata.resourceVersion == "21"
    assert dict(bookmark.object.metadata.annotations) == {"k8s.io/initial-events-end": "true"}
    assert watch.is_closed
    want = WatchOptions(allow_bookmarks=True, send_initial_events=True, batch_window_seconds=0.01)
    assert objects.calls[0][2] == want


async def test_a_watch_begins_where_it_is_asked_to(
    dispatcher: Dispatcher, context: RpcContext, objects: MemoryObjects
) -> None:
    """Now, if nothing is said; after a version; at whatever the cache has, for version 0; with the state first."""
    begins = []
    for version, initial in (("", None), ("7", None), ("0", None), ("", True)):
        request = api.WatchPodsRequest()
        request.options.resourceVersion = version
        if initial is not None:
            request.options.sendInitialEvents = initial
            request.options.resourceVersionMatch = "NotOlderThan"
        messages = await dispatcher.stream(PODS + "WatchPods", context, request.SerializeToString())
        await messages.aclose()
        options = objects.calls[-1][2]
        assert isinstance(options, WatchOptions)
        begins.append((options.resource_version, options.send_initial_events, options.resource_version_match))
    assert begins == [
        ("", False, "NotOlderThan"),
        ("7", None, ""),
        ("0", None, ""),
        ("", True, "NotOlderThan"),
    ]


async def test_watch_window_is_the_clients_choice(
    dispatcher: Dispatcher, context: RpcContext, objects: MemoryObjects
) -> None:
    """Zero means no waiting, unset ten milliseconds, and no client may ask for ever."""
    for milliseconds, seconds in ((0, 0.0), (250, 0.25), (10**6, 10.0), (-5, 0.0)):
        request = api.WatchPodsRequest(batch_window_milliseconds=milliseconds)
        messages = await dispatcher.stream(PODS + "WatchPods", context, request.SerializeToString())
        await messages.aclose()
        options = objects.calls[-1][2]
        assert isinstance(options, WatchOptions)
        assert options.batch_window_seconds == seconds


async def test_watch_errors_reach_the_receiver(
    dispatcher: Dispatcher, context: RpcContext, objects: MemoryObjects, metrics: ApiServerMetrics
) -> None:
    """History that is gone ends the stream with Expired, and a watch that ended is no longer counted as open."""
    messages = await dispatcher.stream(PODS + "WatchPods", context, b"")
    running = 'verb="WATCH",version="v1"} '
    assert f"{running}1\n" in metrics.registry.render().decode()
    objects.watches[0].queue.put_nowait(errors.expired("too old resource version: 1 (5)"))
    with pytest.raises(StatusError, match="too old resource version"):
        async for _ in messages:
            pass
    await messages.aclose()
    await messages.aclose()
    text = metrics.registry.render().decode()
    assert f"{running}0\n" in text
    assert 'apiserver_request_total{code="410"' in text


async def test_watchers_of_a_batch_share_its_bytes(
    dispatcher: Dispatcher, context: RpcContext, objects: MemoryObjects, three_pods: list[Pod]
) -> None:
    """Two watchers that are given the same batch get the same bytes object."""
    assert three_pods
    batch = Batch([added(item) for item in objects.items.values()])
    received = []
    for _ in range(2):
        messages = await dispatcher.stream(PODS + "WatchPods", context, b"")
        objects.watches[-1].queue.put_nowait(batch)
        objects.watches[-1].queue.put_nowait(None)
        received += [message async for message in messages]
        await messages.aclose()
    assert len(received) == 2
    assert received[0] is received[1]
