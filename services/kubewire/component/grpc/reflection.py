"""Server reflection v1 and v1alpha: what tools like grpcurl ask a server about its services.

Both versions have the same bytes, so one implementation serves both. It asks for the same token as any other call:
whoever may not call a server need not know what it offers.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from typing import Final

import grpc
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.message import DecodeError

from kubewire.component.grpc.descriptors import REFLECTION_PACKAGES, Descriptors, Index, with_dependencies
from kubewire.component.v1.reflection_pb2 import (
    ErrorResponse,
    ExtensionNumberResponse,
    FileDescriptorResponse,
    ListServiceResponse,
    ServerReflectionRequest,
    ServerReflectionResponse,
    ServiceResponse,
)

Authenticate = Callable[[grpc.aio.ServicerContext[bytes, bytes]], Awaitable[object]]
"""Ends the call of a caller who is not known."""

SERVICES: Final = tuple(f"{package}.ServerReflection" for package in REFLECTION_PACKAGES)


class ReflectionService(grpc.GenericRpcHandler):
    """Describes `services`, whose files are found through `index`."""

    def __init__(
        self, services: Iterable[str], index: Callable[[], Index], authenticate: Authenticate | None = None
    ) -> None:
        self._names = sorted({*services, *SERVICES})
        self._descriptors = Descriptors(index)
        self._authenticate = authenticate
        handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.stream_stream_rpc_method_handler(self._info)
        self._handlers: Mapping[str, grpc.RpcMethodHandler[bytes, bytes]] = {
            f"/{service}/ServerReflectionInfo": handler for service in SERVICES
        }

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[bytes, bytes] | None:
        """gRPC asks which handler serves a path."""
        return self._handlers.get(handler_call_details.method)

    async def _info(
        self, requests: AsyncIterator[bytes], context: grpc.aio.ServicerContext[bytes, bytes]
    ) -> AsyncIterator[bytes]:
        if self._authenticate is not None:
            await self._authenticate(context)
        sent: set[str] = set()
        async for data in requests:
            try:
                request = ServerReflectionRequest.FromString(data)
            except DecodeError as error:
                await context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"the request is malformed: {error}")
            yield self.answer(request, sent).SerializeToString()

    def answer(self, request: ServerReflectionRequest, sent: set[str]) -> ServerReflectionResponse:
        """The answer to one request; `sent` holds the names of files that this stream has carried."""
        response = ServerReflectionResponse(valid_host=request.host, original_request=request)
        kind = request.WhichOneof("message_request")
        try:
            if kind == "list_services":
                services = [ServiceResponse(name=name) for name in self._names]
                response.list_services_response.CopyFrom(ListServiceResponse(service=services))
            elif kind == "all_extension_numbers_of_type":
                name = request.all_extension_numbers_of_type
                numbers = self._descriptors.extension_numbers(name)
                found = ExtensionNumberResponse(base_type_name=name, extension_number=numbers)
                response.all_extension_numbers_response.CopyFrom(found)
            else:
                response.file_descriptor_response.CopyFrom(_files(self._file(request), sent))
        except KeyError:
            response.error_response.CopyFrom(_error(grpc.StatusCode.NOT_FOUND, f"not found: {_asked(request)}"))
        except ValueError as error:
            response.error_response.CopyFrom(_error(grpc.StatusCode.INVALID_ARGUMENT, str(error)))
        return response

    def _file(self, request: ServerReflectionRequest) -> FileDescriptor:
        match request.WhichOneof("message_request"):
            case "file_by_filename":
                return self._descriptors.file(request.file_by_filename)
            case "file_containing_symbol":
                return self._descriptors.file_of(request.file_containing_symbol)
            case "file_containing_extension":
                extension = request.file_containing_extension
                return self._descriptors.file_of_extension(extension.containing_type, extension.extension_number)
            case _:
                raise ValueError("message_request: want one of the fields 3 to 7")


def _files(file: FileDescriptor, sent: set[str]) -> FileDescriptorResponse:
    """The file asked for, even if it was sent before, and what it needs that was not."""
    sent.discard(file.name)
    return FileDescriptorResponse(file_descriptor_proto=[each.serialized_pb for each in with_dependencies(file, sent)])


def _error(code: grpc.StatusCode, message: str) -> ErrorResponse:
    return ErrorResponse(error_code=code.value[0], error_message=message)


def _asked(request: ServerReflectionRequest) -> str:
    kind = request.WhichOneof("message_request")
    return str(getattr(request, kind)) if kind else ""
