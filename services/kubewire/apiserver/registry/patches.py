"""Patches of messages: the message in JSON form, patched, and read again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from kubewire.apiserver.contracts import Call, Patch, PatchType
from kubewire.apiserver.options import WriteOptions
from kubewire.apiserver.registry.decoding import from_json
from kubewire.machinery import errors
from kubewire.machinery.codec.document import dump
from kubewire.machinery.codec.encode import to_dict
from kubewire.machinery.gvk import GroupVersionKind
from kubewire.machinery.json_value import JsonObject, JsonValue
from kubewire.machinery.patch import json_patch, merge_patch, strategic
from kubewire.machinery.patch.definition_schema import schema_of
from kubewire.machinery.schema.definitions import name_of_message

if TYPE_CHECKING:
    from google.protobuf.message import Message

Change = Callable[[JsonObject], JsonValue]
"""From an object to the patched object, both in JSON form; the given one stays as it is."""

_ACCEPTED: Final = [kind.value for kind in (PatchType.JSON, PatchType.MERGE, PatchType.STRATEGIC)]


def patcher(
    patch: Patch, message: str, gvk: GroupVersionKind, call: Call, options: WriteOptions
) -> Callable[[Message], Message]:
    """A function that applies the patch to messages of a kind; it may be asked again for another version of one.

    Raises:
        StatusError: 400, the patch is malformed; 415, it is of a kind that is none for messages.
    """
    change = _change(patch, message)

    def apply(old: Message) -> Message:
        patched = change(to_dict(old, gvk))
        return from_json(dump(patched), type(old), gvk, call, options)

    return apply


def _change(patch: Patch, message: str) -> Change:
    if patch.type is PatchType.JSON:
        operations = json_patch.decode(patch.data)
        return lambda document: json_patch.apply(document, operations)
    if patch.type is PatchType.MERGE:
        merge = merge_patch.decode(patch.data)
        return lambda document: merge_patch.apply(document, merge)
    if patch.type is PatchType.STRATEGIC:
        directed, schema = strategic.decode(patch.data), schema_of(name_of_message(message))
        return lambda document: strategic.apply(document, directed, schema)
    raise errors.unsupported_media_type(_ACCEPTED)
