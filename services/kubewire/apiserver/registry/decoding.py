"""From what a client sent to a message in stored form; what cannot be one gets Kubernetes' answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import orjson
from google.protobuf.message import DecodeError as ProtobufError

from kubewire.apiserver.contracts import Body, Encoding
from kubewire.apiserver.registry.templates import FIELD as SPEC
from kubewire.apiserver.registry.templates import key_of, spec_of
from kubewire.apiserver.strategy.metadata import clear_field
from kubewire.machinery import errors
from kubewire.machinery.codec.decode import FieldValidation, decode
from kubewire.machinery.codec.document import dump, has_repeated_keys
from kubewire.machinery.codec.envelope import unwrap
from kubewire.machinery.codec.errors import DecodeError, MalformedProtobuf
from kubewire.machinery.codec.refusal import refusal
from kubewire.machinery.codec.stored_form import restore
from kubewire.machinery.gvk import GroupVersion, GroupVersionKind
from kubewire.machinery.messages import message_class
from kubewire.machinery.quoting import quote
from kubewire.machinery.resources import builtin, proto_package

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from kubewire.apiserver.contracts import Call
    from kubewire.apiserver.options import WriteOptions
    from kubewire.apiserver.registry.templates import SpecMemory
    from kubewire.apiserver.registry.write import Write
    from kubewire.machinery.json_value import JsonObject

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
    body, kind = write.body, write.kind
    assert body is not None, "a create has a body"
    if kind.specs is not None and _decode_known(write, body, kind.specs):
        return
    warnings = len(write.call.warnings)
    write.obj = decode_body(body, kind.message, kind.resource.gvk, write.call, write.options)
    if len(write.call.warnings) > warnings:
        write.spec_key = b""  # who sends the same again is to be warned again


def decode_changed(write: Write, body: Body) -> Message:
    """The object that is to take the place of a stored one.

    A spec that is the one the cache has is in stored form and has its defaults: it need not be looked at again, which
    is what makes updates of a status cheap.
    """
    kind = write.kind
    spec = _cached_spec(write) if kind.specs is not None and body.encoding is Encoding.PROTOBUF else None
    if spec is not None:
        try:
            obj = kind.message.FromString(body.data)
        except ProtobufError:
            obj = kind.message()
        if spec_of(obj) == spec:
            return _with_spec(write, obj, spec, body)
    return decode_body(body, kind.message, kind.resource.gvk, write.call, write.options)


def _cached_spec(write: Write) -> Message | None:
    found = write.core.cache.of(write.kind.kept).peek(write.call.namespace, write.call.name)
    return None if found is None else spec_of(write.kind.decode(write.kind.served(found)))


def _with_spec(write: Write, obj: Message, spec: Message, body: Body) -> Message:
    clear_field(obj, SPEC)
    try:
        restore(obj)
    except DecodeError as error:
        raise refusal(error, body.data, write.kind.resource.gvk) from None
    write.kind.default(obj)
    spec_of(obj).CopyFrom(spec)
    write.is_defaulted = True
    return obj


def _decode_known(write: Write, body: Body, specs: SpecMemory) -> bool:
    """Decode an object whose spec may be known. False: that did not go as usual; take the usual way."""
    if body.encoding is Encoding.JSON:
        return _decode_known_json(write, body.data, specs)
    return body.encoding is Encoding.PROTOBUF and _decode_known_protobuf(write, body.data, specs)


def _decode_known_protobuf(write: Write, data: bytes, specs: SpecMemory) -> bool:
    try:
        obj = write.kind.message.FromString(data)
    except ProtobufError:
        return False
    key = key_of(spec_of(obj).SerializeToString(deterministic=True), b"protobuf")
    known = specs.get(key)
    if known is None:
        write.spec_key = key
        return False
    clear_field(obj, SPEC)
    try:
        restore(obj)
    except DecodeError:
        return False
    spec_of(obj).MergeFromString(known)
    write.obj, write.is_defaulted = obj, True
    return True


def _decode_known_json(write: Write, data: bytes, specs: SpecMemory) -> bool:
    try:
        value = orjson.loads(data)
        key = key_of(orjson.dumps(value[SPEC]), b"json")
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return False
    known = specs.get(key)
    validation = _VALIDATIONS[write.options.field_validation]
    if known is None or has_repeated_keys(data, value):
        # With fields that nobody wants to hear of, the same text would hide them from those who do.
        write.spec_key = key if known is None and validation is not FieldValidation.IGNORE else b""
        return False
    kind, gvk = write.kind, write.kind.resource.gvk
    _require_of(value, gvk)
    del value[SPEC]
    try:
        obj = decode(value, kind.message, validation=validation, warnings=write.call.warnings)
    except DecodeError:
        return False
    spec_of(obj).MergeFromString(known)
    write.obj, write.is_defaulted = obj, True
    return True


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
    from kubewire.machinery.codec.yaml_reader import decode_yaml  # noqa: PLC0415 - few servers ever need the parser

    documents = decode_yaml(data)
    return dump(documents[0]) if documents else b"{}"


def _check_type(data: bytes, wanted: GroupVersionKind) -> None:
    """Refuse another kind or version. What cannot be read at all is left for the decoder to judge."""
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        return
    if isinstance(value, dict):
        _require_of(value, wanted)


def _require_of(value: JsonObject, wanted: GroupVersionKind) -> None:
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
