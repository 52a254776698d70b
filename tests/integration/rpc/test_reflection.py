"""Server reflection v1 and v1alpha, request by request."""

from collections.abc import AsyncIterator, Sequence

import grpc
import grpc.aio
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from kubewire.component.v1.reflection_pb2 import ExtensionRequest, ServerReflectionRequest, ServerReflectionResponse
from tests.integration.rpc.conftest import Client

POD_SERVICE = "kubewire.rpc.core.v1.PodService"


@pytest.fixture(params=["v1", "v1alpha"])
def version(request: pytest.FixtureRequest) -> str:
    """Both versions have the same messages."""
    name: str = request.param
    return name


async def ask(client: Client, version: str, *requests: ServerReflectionRequest) -> list[ServerReflectionResponse]:
    """One stream with several requests."""

    async def send() -> AsyncIterator[bytes]:
        for request in requests:
            yield request.SerializeToString()

    path = f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo"
    method: grpc.aio.StreamStreamMultiCallable[bytes, bytes] = client.channel.stream_stream(path)
    call = method(send(), metadata=client.metadata, timeout=30)
    return [ServerReflectionResponse.FromString(answer) async for answer in call]


def files(response: ServerReflectionResponse) -> list[FileDescriptorProto]:
    """The files of an answer."""
    assert response.WhichOneof("message_response") == "file_descriptor_response", response
    sent: Sequence[bytes] = response.file_descriptor_response.file_descriptor_proto
    return [FileDescriptorProto.FromString(data) for data in sent]


async def test_services_are_listed(client: Client, version: str) -> None:
    """Each once, in order."""
    [response] = await ask(client, version, ServerReflectionRequest(host="h", list_services="*"))
    names = [service.name for service in response.list_services_response.service]
    assert names == sorted(set(names))
    assert POD_SERVICE in names
    assert (response.valid_host, response.original_request.host) == ("h", "h")


async def test_a_symbol_comes_with_all_it_needs_once(client: Client, version: str) -> None:
    """The file asked for comes first, then what it imports; a later answer repeats none of that."""
    first, second = await ask(
        client,
        version,
        ServerReflectionRequest(file_containing_symbol=POD_SERVICE),
        ServerReflectionRequest(file_containing_symbol="kubewire.rpc.core.v1.NodeService"),
    )
    names = [file.name for file in files(first)]
    assert names[0] == "kubewire/rpc/core/v1/pod_service.proto"
    assert "kubewire/api/core/v1/pod_spec.proto" in names
    later = [file.name for file in files(second)]
    assert later[0] == "kubewire/rpc/core/v1/node_service.proto"
    assert not set(names) & set(later)


async def test_whatever_has_a_name_is_found(client: Client, version: str) -> None:
    """Methods, fields, enums and their values, which stand beside their enum."""
    for symbol, file in (
        (f"{POD_SERVICE}.BindPod", "kubewire/rpc/core/v1/pod_service.proto"),
        ("k8s.io.api.core.v1.PodSpec.nodeName", "kubewire/api/core/v1/pod_spec.proto"),
        ("kubewire.rpc.v1.PatchType", "kubewire/rpc/v1/options.proto"),
        ("kubewire.rpc.v1.PATCH_TYPE_MERGE", "kubewire/rpc/v1/options.proto"),
        ("grpc.health.v1.HealthCheckResponse.ServingStatus", "grpc_health/v1/health.proto"),
        (
            f"grpc.reflection.{version}.ServerReflection.ServerReflectionInfo",
            f"grpc/reflection/{version}/reflection.proto",
        ),
        ("google.protobuf.Timestamp", "google/protobuf/timestamp.proto"),
    ):
        [response] = await ask(client, version, ServerReflectionRequest(file_containing_symbol=symbol))
        assert files(response)[0].name == file, symbol


async def test_a_file_is_found_by_its_name(client: Client, version: str) -> None:
    """Also one that nobody has loaded before, and reflection's own."""
    for name in ("kubewire/api/storage/v1/csi_driver.proto", f"grpc/reflection/{version}/reflection.proto"):
        [response] = await ask(client, version, ServerReflectionRequest(file_by_filename=name))
        assert files(response)[0].name == name


@pytest.mark.parametrize(
    "request_",
    [
        ServerReflectionRequest(file_by_filename="kubewire/api/core/v1/nothing.proto"),
        ServerReflectionRequest(file_by_filename="../../etc/passwd"),
        ServerReflectionRequest(file_by_filename="os.proto"),
        ServerReflectionRequest(file_containing_symbol=POD_SERVICE + ".Nothing"),
        ServerReflectionRequest(file_containing_symbol=""),
        ServerReflectionRequest(all_extension_numbers_of_type="x.Y"),
        ServerReflectionRequest(
            file_containing_extension=ExtensionRequest(containing_type="k8s.io.api.core.v1.Pod", extension_number=5)
        ),
    ],
)
async def test_what_is_not_there_is_an_answer(client: Client, version: str, request_: ServerReflectionRequest) -> None:
    """NOT_FOUND stands in the answer, and the stream goes on."""
    first, second = await ask(client, version, request_, ServerReflectionRequest(list_services=""))
    assert first.error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]
    assert second.list_services_response.service


async def test_extensions_of_a_message(client: Client, version: str) -> None:
    """Kubernetes' messages have none."""
    [response] = await ask(
        client, version, ServerReflectionRequest(all_extension_numbers_of_type="k8s.io.api.core.v1.Pod")
    )
    assert response.all_extension_numbers_response.base_type_name == "k8s.io.api.core.v1.Pod"
    assert list(response.all_extension_numbers_response.extension_number) == []


async def test_an_empty_request_is_told_what_to_ask(client: Client, version: str) -> None:
    """INVALID_ARGUMENT in the answer."""
    [response] = await ask(client, version, ServerReflectionRequest(host="x"))
    assert response.error_response.error_code == grpc.StatusCode.INVALID_ARGUMENT.value[0]


async def test_callers_need_a_token(client: Client, version: str) -> None:
    """Without one the stream ends with UNAUTHENTICATED."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await ask(Client(client.channel), version)
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
