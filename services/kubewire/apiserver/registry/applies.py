"""Server-side apply: the fields a manager wants are merged into the object, and it owns exactly those."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubewire.apiserver.registry import pipeline
from kubewire.apiserver.registry.changes import updating_of
from kubewire.apiserver.registry.decoding import from_json
from kubewire.apiserver.registry.write import Write, begin
from kubewire.apiserver.strategy.metadata import metadata_of
from kubewire.machinery import errors
from kubewire.machinery.codec.document import dump
from kubewire.machinery.codec.errors import DecodeError
from kubewire.machinery.managed_fields import entry as entries_of
from kubewire.machinery.managed_fields.update import Write as OwnedWrite

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from kubewire.apiserver.contracts import Call, Patch, Written
    from kubewire.apiserver.options import WriteOptions
    from kubewire.apiserver.registry.core import Core
    from kubewire.machinery.json_value import JsonObject


async def applied(core: Core, call: Call, patch: Patch, options: WriteOptions) -> Written:
    """Apply a configuration; an object that is not there is created."""
    write = begin(core, call, "apply", options)
    write.updating = updating_of(write)
    config = _configuration(patch.data)
    write.change = lambda one: _merged(one, config)
    await pipeline.update(write)
    return write.result


def _configuration(data: bytes) -> JsonObject:
    from kubewire.machinery.codec.yaml_reader import decode_yaml  # noqa: PLC0415 - not every server needs the parser

    try:
        documents = decode_yaml(data)
    except DecodeError as error:
        raise errors.bad_request(f"error decoding YAML: {error}") from None
    if len(documents) != 1:
        raise errors.bad_request(f"error decoding YAML: want one document, found {len(documents)}")
    return documents[0]


def _merged(write: Write, config: JsonObject) -> Message:
    """The object with the configuration merged in, and its owners settled."""
    kind, options = write.kind, write.options
    author = OwnedWrite(write.manager, write.ctx.now_seconds)
    ownership = kind.ownership(write.call.subresource)
    obj, entries = ownership.apply(write.old, config, author, is_forced=options.force)
    if obj is not None:
        merged = from_json(dump(obj), kind.message, kind.resource.gvk, write.call, options)
    else:
        assert write.old is not None, "an apply that creates makes an object"
        merged = kind.message()
        merged.CopyFrom(write.old)
    entries_of.store(entries, metadata_of(merged))
    return merged
