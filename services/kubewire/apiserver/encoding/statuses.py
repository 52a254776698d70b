"""Statuses as bytes: errors in the format the client reads, and the successes that have no object to show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

import orjson

from kubewire.apiserver.encoding import envelope
from kubewire.apiserver.encoding.media import Format, Wanted
from kubewire.apiserver.encoding.objects import pretty
from kubewire.apiserver.encoding.yaml_text import to_yaml
from kubewire.apiserver.item import Item
from kubewire.machinery import status_proto
from kubewire.machinery.codec.encode import encode
from kubewire.machinery.errors import StatusError
from kubewire.machinery.gvk import GroupVersionKind
from kubewire.machinery.messages import message_class

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from kubewire.api.meta.v1.status_pb2 import Status

STATUS: Final = GroupVersionKind("", "v1", "Status")
_MESSAGE: Final = "k8s.io.apimachinery.pkg.apis.meta.v1.Status"


def error_body(error: StatusError, wanted: Wanted) -> bytes:
    """The Status of a failed request."""
    if wanted.format is Format.PROTOBUF:
        return _enveloped(status_proto.encode(error))
    return _text(orjson.dumps(error.to_json()), wanted)


def created_body(wanted: Wanted) -> bytes:
    """What binding and eviction answer with."""
    return _success(_succeeded(code=201), wanted)


def deleted_body(item: Item, wanted: Wanted) -> bytes:
    """What the deletion of most kinds answers with, once the object is gone."""
    resource = item.resource
    status = _succeeded()
    status.details.name, status.details.group, status.details.kind = item.name, resource.group, resource.plural
    status.details.uid = item.metadata.uid
    return _success(status, wanted)


def _succeeded(code: int = 0) -> Status:
    status = cast("Status", message_class(_MESSAGE)())
    status.metadata.SetInParent()
    status.status = "Success"
    if code:
        status.code = code
    return status


def _success(status: Status, wanted: Wanted) -> bytes:
    if wanted.format is Format.PROTOBUF:
        return _enveloped(status)
    return _text(encode(status, STATUS), wanted)


def _enveloped(status: Message) -> bytes:
    return envelope.wrap(STATUS.api_version, STATUS.kind, status.SerializeToString())


def _text(data: bytes, wanted: Wanted) -> bytes:
    if wanted.format is Format.YAML:
        return to_yaml(data)
    return pretty(data) if wanted.pretty else data + b"\n"
