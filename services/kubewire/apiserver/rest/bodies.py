"""What a request's body is: an object, a patch or delete options, in the format its Content-Type names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from google.protobuf.message import DecodeError as ProtobufDecodeError

from kubewire.apiserver.contracts import Body, Encoding, Patch, PatchType
from kubewire.apiserver.encoding.media import Format, content_format
from kubewire.apiserver.options import DeleteOptions, Preconditions
from kubewire.apiserver.rest.options import delete_options, is_dry_run
from kubewire.apiserver.rest.query import Query
from kubewire.apiserver.rest.request import Request, read_body
from kubewire.machinery import errors
from kubewire.machinery.codec.decode import decode
from kubewire.machinery.codec.envelope import unwrap
from kubewire.machinery.codec.errors import DecodeError, MalformedProtobuf
from kubewire.machinery.codec.refusal import refusal
from kubewire.machinery.gvk import GroupVersionKind
from kubewire.machinery.messages import message_class

if TYPE_CHECKING:
    from kubewire.api.meta.v1 import options_pb2

_ENCODINGS: Final = {
    Format.JSON: Encoding.JSON,
    Format.YAML: Encoding.YAML,
    Format.PROTOBUF: Encoding.ENVELOPE,
}
_PATCH_TYPES: Final = {kind.value: kind for kind in PatchType}
_DELETE_OPTIONS: Final = GroupVersionKind("", "v1", "DeleteOptions")
_MESSAGE: Final = "k8s.io.apimachinery.pkg.apis.meta.v1.DeleteOptions"


async def read_object(request: Request) -> Body:
    """The object of a create or update; decoded by the core.

    Raises:
        StatusError: 413, 415.
    """
    encoding = _ENCODINGS[content_format(request.headers.get("Content-Type", ""))]
    return Body(await read_body(request), encoding)


async def read_patch(request: Request) -> Patch:
    """The patch and its kind.

    Raises:
        StatusError: 413, 415.
    """
    media_type = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    kind = _PATCH_TYPES.get(media_type)
    if kind is None:
        raise errors.unsupported_media_type(list(_PATCH_TYPES))
    return Patch(kind, await read_body(request))


async def read_delete_options(request: Request, query: Query) -> DeleteOptions:
    """Options of a delete: those of the body if there is one, else those of the query.

    Raises:
        StatusError: 400, 413, 415, 422.
    """
    data = await read_body(request)
    if not data:
        return delete_options(query)
    try:
        return _options_of(_decode(data, content_format(request.headers.get("Content-Type", ""))))
    except DecodeError as error:
        raise refusal(error, data, _DELETE_OPTIONS) from None


def _decode(data: bytes, form: Format) -> options_pb2.DeleteOptions:
    """The message in any format. Clients name it with whatever group version they talk to."""
    kind = cast("type[options_pb2.DeleteOptions]", message_class(_MESSAGE))
    if form is Format.JSON:
        return decode(data, kind)
    if form is Format.YAML:
        from kubewire.machinery.codec.yaml_reader import decode_yaml  # noqa: PLC0415 - few clients send YAML

        documents = decode_yaml(data)
        return decode(documents[0], kind) if documents else kind()
    try:
        return kind.FromString(unwrap(data).raw)
    except ProtobufDecodeError as error:
        raise MalformedProtobuf(str(error)) from None


def _options_of(message: options_pb2.DeleteOptions) -> DeleteOptions:
    given = message.preconditions
    has = message.HasField
    return DeleteOptions(
        grace_period_seconds=message.gracePeriodSeconds if has("gracePeriodSeconds") else None,
        propagation_policy=message.propagationPolicy if has("propagationPolicy") else None,
        orphan_dependents=message.orphanDependents if has("orphanDependents") else None,
        preconditions=Preconditions(
            uid=given.uid if given.HasField("uid") else None,
            resource_version=given.resourceVersion if given.HasField("resourceVersion") else None,
        ),
        dry_run=is_dry_run("DeleteOptions", message.dryRun),
    )
