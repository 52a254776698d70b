"""From what a client sent to a message in stored form; what cannot be one gets Kubernetes' answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import orjson
from google.protobuf.message import DecodeError as ProtobufError

from kubewire.api.runtime.runtime_pb2 import Unknown
from kubewire.apiserver.contracts import Body, Encoding
from kubewire.apiserver.encoding.envelope import MAGIC
from kubewire.machinery import errors
from kubewire.machinery.codec.decode import FieldValidation, decode
from kubewire.machinery.codec.errors import DecodeError, MalformedJson
from kubewire.machinery.gvk import GroupVersion, GroupVersionKind
from kubewire.machinery.messages import message_class
from kubewire.machinery.quoting import quote
from kubewire.machinery.resources import proto_package

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from kubewire.apiserver.contracts import Call
    from kubewire.apiserver.options import WriteOptions
    from kubewire.apiserver.registry.write import Write
    from kubewire.machinery.errors import StatusError

_SHOWN_BYTES: Final = 30
_INTERNAL_GROUPS: Final = {"": "core", "rbac.authorization.k8s.io": "rbac"}
_VALIDATIONS: Final = {
    "": FieldValidation.WARN,
    "Warn": FieldValidation.WARN,
    "Ignore": FieldValidation.IGNORE,
    "Strict": FieldValidation.STRICT,
}


def decode_new(write: Write) -> None:
    """The object that is to be created."""
    assert write.body is not None, "a create has a body"
    write.obj = decode_body(write.body, write.kind.message, write.kind.resource.gvk, write.call, write.options)


def decode_message(body: Body, gvk: GroupVersionKind, call: Call, options: WriteOptions) -> Message:
    """A message of a kind that has no objects (Binding, Scale ...)."""
    message = message_class(f"{proto_package(gvk.group, gvk.version)}.{gvk.kind}")
    return decode_body(body, message, gvk, call, options)


def decode_body(
    body: Body, message: type[Message], gvk: GroupVersionKind, call: Call, options: WriteOptions
) -> Message:
    """The message in a request's body.

    Raises:
        StatusError: 400, it is malformed, or of another kind or version.
    """
    match body.encoding:
        case Encoding.PROTOBUF:
            return _from_protobuf(body.data, message, gvk)
        case Encoding.ENVELOPE:
            return _from_envelope(body.data, message, gvk)
        case Encoding.JSON:
            return from_json(body.data, message, gvk, call, options)
        case _:
            raise errors.unsupported_media_type([Encoding.JSON.value, Encoding.ENVELOPE.value])


def from_json(data: bytes, message: type[Message], gvk: GroupVersionKind, call: Call, options: WriteOptions) -> Message:
    """A message from JSON text. Fields it does not have are warned of, or refused, as the options say."""
    try:
        _check_type(data, gvk)
        return decode(data, message, validation=_VALIDATIONS[options.field_validation], warnings=call.warnings)
    except MalformedJson as error:
        why = f"couldn't get version/kind; json parse error: {error}"
        raise unrecognized(data, gvk, why) from None
    except DecodeError as error:
        raise unusable(gvk, gvk, str(error)) from None


def _check_type(data: bytes, wanted: GroupVersionKind) -> None:
    """Refuse another kind or version. Text that cannot be read at all is left for the decoder to judge."""
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        return
    if not isinstance(value, dict):
        return
    kind, api_version = value.get("kind") or wanted.kind, value.get("apiVersion") or wanted.api_version
    if (
        isinstance(kind, str)
        and isinstance(api_version, str)
        and (kind, api_version) != (wanted.kind, wanted.api_version)
    ):
        raise _mismatch(kind, api_version, wanted)


def _mismatch(kind: str, api_version: str, wanted: GroupVersionKind) -> StatusError:
    try:
        group, version = GroupVersion.parse(api_version)
    except ValueError as error:
        return unrecognized(b"", wanted, str(error))
    if kind == wanted.kind and group == wanted.group:
        return errors.bad_request(
            f"the API version in the data ({api_version}) does not match "
            f"the expected API version ({wanted.api_version})"
        )
    internal = _INTERNAL_GROUPS.get(wanted.group, wanted.group.partition(".")[0])
    why = f"converting ({version}.{kind}) to ({internal}.{wanted.kind}): unknown conversion"
    return unusable(GroupVersionKind(group, version, kind), wanted, why)


def _from_envelope(data: bytes, message: type[Message], gvk: GroupVersionKind) -> Message:
    if not data.startswith(MAGIC):
        why = f"provided data does not appear to be a protobuf message, expected prefix [{_decimal(MAGIC)}]"
        raise unrecognized(data, gvk, why)
    try:
        unknown = Unknown.FromString(data[len(MAGIC) :])
    except ProtobufError as error:
        raise unrecognized(data, gvk, str(error)) from None
    kind, api_version = unknown.typeMeta.kind or gvk.kind, unknown.typeMeta.apiVersion or gvk.api_version
    if (kind, api_version) != (gvk.kind, gvk.api_version):
        raise _mismatch(kind, api_version, gvk)
    return _from_protobuf(unknown.raw, message, gvk)


def _decimal(data: bytes) -> str:
    return " ".join(map(str, data))


def _from_protobuf(data: bytes, message: type[Message], gvk: GroupVersionKind) -> Message:
    try:
        return message.FromString(data)
    except ProtobufError as error:
        raise unusable(gvk, gvk, str(error)) from None


def unusable(found: GroupVersionKind, wanted: GroupVersionKind, why: str) -> StatusError:
    """A body whose kind is known and that still cannot be read."""
    return errors.bad_request(
        f"{found.kind} in version {quote(found.version)} cannot be handled as a {wanted.kind}: {why}"
    )


def unrecognized(data: bytes, wanted: GroupVersionKind, why: str) -> StatusError:
    """A body that does not even tell what it is."""
    return errors.bad_request(
        f"the object provided is unrecognized (must be of type {wanted.kind}): {why} ({_beginning(data)})"
    )


def _beginning(data: bytes) -> str:
    if not data:
        return "<empty>"
    shown = data[:_SHOWN_BYTES]
    text = shown.decode("utf-8", "replace") if data.startswith(b"{") else shown.hex()
    return f"{text} ..." if len(data) > _SHOWN_BYTES else text
