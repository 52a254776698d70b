"""Manifests in other forms: what people write for kubectl, as gRPC tools, files in etcd and programs want it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from google.protobuf import json_format

from kubewire.machinery.codec.decode import FieldValidation, decode
from kubewire.machinery.codec.encode import to_dict
from kubewire.machinery.codec.envelope import wrap
from kubewire.machinery.codec.errors import DecodeError
from kubewire.machinery.codec.yaml_reader import decode_yaml
from kubewire.machinery.codec.yaml_writer import encode_yaml_documents
from kubewire.machinery.gvk import GroupVersion
from kubewire.machinery.messages import message_class
from kubewire.machinery.resources import Resource, builtin

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from kubewire.machinery.json_value import JsonObject

FORMS = ("grpc", "grpc-create", "json", "yaml", "protobuf")


class Unconvertible(ValueError):
    """A document is no object that this release knows; says which document, and what is wrong with it."""


def convert(manifest: bytes, form: str) -> bytes:
    """Every document of a manifest in another form.

    `grpc` is protobuf's JSON form, `grpc-create` that form as the request of the kind's Create method, one line a
    document; `protobuf` is Kubernetes' binary form, for one document only.

    Raises:
        Unconvertible: naming the document.
    """
    try:
        documents = decode_yaml(manifest)
    except DecodeError as error:
        raise Unconvertible(str(error)) from None
    if not documents:
        raise Unconvertible("the manifest has no document")
    objects = [_decode(number, document) for number, document in enumerate(documents, 1)]
    match form:
        case "grpc":
            return _lines(_grpc(message) for _, message in objects)
        case "grpc-create":
            return _lines(_create_request(resource, message) for resource, message in objects)
        case "protobuf":
            return _binary(objects)
    values = [to_dict(message, resource.gvk) for resource, message in objects]
    return encode_yaml_documents(values) if form == "yaml" else _json(values)


def _decode(number: int, document: JsonObject) -> tuple[Resource, Message]:
    api_version, kind = document.get("apiVersion"), document.get("kind")
    if not isinstance(api_version, str) or not isinstance(kind, str):
        raise Unconvertible(f"document {number}: apiVersion and kind must be set")
    try:
        resource = builtin().by_kind(*GroupVersion.parse(api_version), kind)
    except ValueError as error:
        raise Unconvertible(f"document {number}: {error}") from None
    if resource is None:
        raise Unconvertible(f"document {number}: no kind {kind} in {api_version}")
    try:
        return resource, decode(
            document, message_class(resource.message), validation=FieldValidation.STRICT, warnings=[]
        )
    except DecodeError as error:
        raise Unconvertible(f"document {number} ({kind}): {error}") from None


def _grpc(message: Message) -> str:
    return json_format.MessageToJson(message, preserving_proto_field_name=True, indent=None)


def _create_request(resource: Resource, message: Message) -> str:
    """The request, with the namespace that the object names, else `default`."""
    field = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", resource.kind).lower()
    namespace = ""
    if resource.namespaced:
        name = message.metadata.namespace or "default"  # type: ignore[attr-defined]  # every object has metadata
        namespace = f'"namespace": "{name}", '
    return f'{{{namespace}"{field}": {_grpc(message)}}}'


def _binary(objects: list[tuple[Resource, Message]]) -> bytes:
    if len(objects) != 1:
        raise Unconvertible(f"the binary form holds one object, and the manifest has {len(objects)}")
    [(resource, message)] = objects
    return wrap(message.SerializeToString(deterministic=True), resource.api_version, resource.kind)


def _json(values: list[JsonObject]) -> bytes:
    import orjson

    return b"\n".join(orjson.dumps(value, option=orjson.OPT_INDENT_2) for value in values) + b"\n"


def _lines(texts: Iterable[str]) -> bytes:
    return b"".join(text.encode() + b"\n" for text in texts)
