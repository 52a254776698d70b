"""ObjectService.Apply: documents of a text, each applied by itself."""

import pytest

from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.api.meta.v1.options_pb2 import PatchOptions
from kubewire.apiserver.contracts import Patch, PatchType
from kubewire.apiserver.options import WriteOptions
from kubewire.apiserver.rpc.context import RpcContext
from kubewire.apiserver.rpc.dispatcher import Dispatcher
from kubewire.machinery.errors import Reason, StatusError
from kubewire.rpc.v1.object_service_pb2 import ApplyRequest, ApplyResponse
from tests.memory_objects import MemoryObjects

PATH = "/kubewire.rpc.v1.ObjectService/Apply"
OPTIONS = PatchOptions(fieldManager="me")
POD_A = b"apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n"
TWO = b"---\n" + POD_A + b"--- # the second\napiVersion: v1\nkind: Node\nmetadata: {name: n}\n---\n# nothing\n"


async def apply(dispatcher: Dispatcher, context: RpcContext, request: ApplyRequest) -> ApplyResponse:
    """One call."""
    return ApplyResponse.FromString(await dispatcher.unary(PATH, context, request.SerializeToString()))


async def test_each_document_has_a_result(
    dispatcher: Dispatcher, context: RpcContext, objects: MemoryObjects, three_pods: list[Pod]
) -> None:
    """Documents reach the core as they were written, in order; a failure of one does not stop the next."""
    request = ApplyRequest(namespace="default", manifest=TWO + b"---\n" + POD_A, options=OPTIONS)
    response = await apply(dispatcher, context, request)
    assert [result.status.reason for result in response.results] == ["", "NotFound", ""]
    assert Pod.FromString(response.results[0].object.raw) == three_pods[0]
    asked = [(found.resource.plural, found.namespace, found.name) for _, found, _ in objects.calls]
    assert asked == [("pods", "default", "a"), ("nodes", "", "n"), ("pods", "default", "a")]
    options = objects.calls[0][2]
    assert options == (Patch(PatchType.APPLY_YAML, b"\n" + POD_A), WriteOptions(field_manager="me"))


async def test_json_is_a_manifest_too(dispatcher: Dispatcher, context: RpcContext, objects: MemoryObjects) -> None:
    """YAML holds JSON."""
    manifest = b'{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "x"}}'
    await apply(dispatcher, context, ApplyRequest(manifest=manifest, options=OPTIONS))
    assert (objects.calls[0][1].namespace, objects.calls[0][1].name) == ("x", "a")


async def test_kinds_and_namespaces_are_judged_one_by_one(
    dispatcher: Dispatcher, context: RpcContext, objects: MemoryObjects
) -> None:
    """An unknown kind, and a namespaced one without a namespace, fail alone."""
    manifest = b"{apiVersion: v9, kind: Pod, metadata: {name: a}}\n---\n" + POD_A
    response = await apply(dispatcher, context, ApplyRequest(manifest=manifest, options=OPTIONS))
    assert [result.status.reason for result in response.results] == ["NotFound", "BadRequest"]
    assert "no kind 'Pod' in 'v9'" in response.results[0].status.message
    assert "namespace: pods need one" in response.results[1].status.message
    assert objects.calls == []


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        (b"", "manifest: want at least one document"),
        (b"--- \n# only a comment\n", "manifest: want at least one document"),
        (b"[1, 2]", "document 1: want an object with apiVersion, kind and metadata"),
        (POD_A + b"---\nkind: [", "document 2 cannot be read"),
        (b"{apiVersion: v1, kind: Pod}", "document 1: metadata.name: want a text, got None"),
        (b"{apiVersion: 1, kind: Pod, metadata: {name: a}}", "document 1: apiVersion: want a text, got 1"),
        (b"{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: 5}}", "metadata.namespace: want a text, got 5"),
        (b"a: &a [*a, *a]", "document 1"),
        (b"\xff\xfe\x00", "document 1 cannot be read"),
    ],
)
async def test_what_is_no_manifest_is_refused(
    dispatcher: Dispatcher, context: RpcContext, objects: MemoryObjects, manifest: bytes, words: str
) -> None:
    """The document and the field are named, and nothing is applied, not even what comes before."""
    with pytest.raises(StatusError) as caught:
        await apply(dispatcher, context, ApplyRequest(namespace="x", manifest=manifest, options=OPTIONS))
    assert caught.value.reason == Reason.BAD_REQUEST
    assert words in caught.value.message
    assert objects.calls == []


async def test_a_manager_is_needed(dispatcher: Dispatcher, context: RpcContext) -> None:
    """Apply without a manager is refused as REST refuses it."""
    with pytest.raises(StatusError, match="fieldManager: Required value: is required for apply patch"):
        await apply(dispatcher, context, ApplyRequest(namespace="x", manifest=POD_A))


async def test_large_manifests_are_parsed_off_the_loop_and_have_a_limit(
    dispatcher: Dispatcher, context: RpcContext, objects: MemoryObjects
) -> None:
    """A hundred documents are applied; more than three megabytes are refused unread."""
    manifest = b"---\n".join([POD_A + b"  labels: {x: %d}\n" % number for number in range(1000)])
    response = await apply(dispatcher, context, ApplyRequest(namespace="x", manifest=manifest, options=OPTIONS))
    assert len(response.results) == len(objects.calls) == 1000
    with pytest.raises(StatusError, match="manifest: at most 3145728 bytes"):
        await apply(dispatcher, context, ApplyRequest(manifest=b"#" * (3 << 20) + b"a", options=OPTIONS))
