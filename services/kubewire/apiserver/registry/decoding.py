"""From what a client sent to a message in stored form; what cannot be one gets Kubernetes' answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import orjson
from google.protobuf.message import DecodeError as ProtobufError

from kubewire.apiserver.contracts import Body, Encoding
from kubewire.machinery import errors
from kubewire.machinery.codec.decode import FieldValidation, decode
from kubewire.machinery.codec.document import dump
from kubewire.machinery.codec.envelope import unwrap
from kubewire.machinery.codec.errors import DecodeError, MalformedProtobuf
from kubewire.machinery.codec.refusal import refusal
from kubewire.machinery.codec.stored_form import restore
from kubewire.machinery.codec.yaml_reader import decode_yaml
from kubewire.machinery.gvk import GroupVersion, GroupVersionKind
from kubewire.machinery.messages import message_class
from kubewire.machinery.quoting import quote
from kubewire.machinery.resources import builtin, proto_package

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from kubewire.apiserver.contracts import Call
    from kubewire.apiserver.options import WriteOptions
    from kubewire.apiserver.registry.write import Write

_INTERNAL_GROUPS: Final = {"": "core"}
_SCHEME: Final = "k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30"
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
    try:
        match body.encoding:
            case Encoding.PROTOBUF:
                return _from_protobuf(body.data, message)
            case Encoding.ENVELOPE:
                return _from_envelope(body.data, message, gvk)
            case Encoding.JSON:
                return _from_json(body.data, message, gvk, call, options)
            case Encoding.YAML:
                return _from_json(_json_of_yaml(body.data), message, gvk, call, options)
    except DecodeError as error:
        raise refusal(error, body.data, gvk) from None


def from_json(data: bytes, message: type[Message], gvk: GroupVersionKind, call: Call, options: WriteOptions) -> Message:
    """A message from JSON text; as for bodies."""
    try:
        return _from_json(data, message, gvk, call, options)
    except DecodeError as error:
        raise refusal(error, data, gvk) from None


def _from_json(
    data: bytes, message: type[Message], gvk: GroupVersionKind, call: Call, options: WriteOptions
) -> Message:
    """Fields that the message does not have are warned of, or refused, as the options say."""
    _check_type(data, gvk)
    return decode(data, message, validation=_VALIDATIONS[options.field_validation], warnings=call.warnings)


def _json_of_yaml(data: bytes) -> bytes:
    """The first document that holds something, as Kubernetes reads it."""
    documents = decode_yaml(data)
    return dump(documents[0]) if documents else b"{}"


def _check_type(data: bytes, wanted: GroupVersionKind) -> None:
    """Refuse another kind or version. What cannot be read at all is left for the decoder to judge."""
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        return
    if isinstance(value, dict):
        kind, version = value.get("kind") or wanted.kind, value.get("apiVersion") or wanted.api_version
        if isinstance(kind, str) and isinstance(version, str):
            _require(kind, version, wanted)


def _require(kind: str, api_version: str, wanted: GroupVersionKind) -> None:
    if kind == wanted.kind and api_version == wanted.api_version:
        return
    try:
        group, version = GroupVersion.parse(api_version)
    except ValueError as error:
        raise errors.bad_request(
            f"the object provided is unrecognized (must be of type {wanted.kind}): {error}"
        ) from None
    if kind == wanted.kind and group == wanted.group:
        raise errors.bad_request(
            f"the API version in the data ({api_version}) does not match "
            f"the expected API version ({wanted.api_version})"
        )
    why = _why_not(GroupVersionKind(group, version, kind), wanted)
    raise errors.bad_request(f"{kind} in version {quote(version)} cannot be handled as a {wanted.kind}: {why}")


def _why_not(found: GroupVersionKind, wanted: GroupVersionKind) -> str:
    if builtin().by_kind(*found) is None:
        return f'no kind {quote(found.kind)} is registered for version {quote(found.api_version)} in scheme "{_SCHEME}"'
    group = _INTERNAL_GROUPS.get(wanted.group, wanted.group.partition(".")[0])
    return f"converting ({found.version}.{found.kind}) to ({group}.{wanted.kind}): unknown conversion"


def _from_envelope(data: bytes, message: type[Message], gvk: GroupVersionKind) -> Message:
    api_version, kind, raw = unwrap(data)
    _require(kind or gvk.kind, api_version or gvk.api_version, gvk)
    return _from_protobuf(raw, message)


def _from_protobuf(data: bytes, message: type[Message]) -> Message:
    try:
        made = message.FromString(data)
    except ProtobufError as error:
        raise MalformedProtobuf(str(error)) from None
    restore(made)
    return made
