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
from kubewire.machinery.patch import json_patch, merge_patch

if TYPE_CHECKING:
    from google.protobuf.message import Message

Change = Callable[[JsonObject], JsonValue]
"""From an object to the patched object, both in JSON form; the given one stays as it is."""


def patcher(patch: Patch, gvk: GroupVersionKind, call: Call, options: WriteOptions) -> Callable[[Message], Message]:
    """A function that applies the patch to messages of a kind; it may be asked again for another version of one.

    Raises:
        StatusError: 400, the patch is malformed; 415, objects of this kind cannot be patched this way.
    """
    change = _change(patch)

    def apply(old: Message) -> Message:
        patched = change(to_dict(old, gvk))
        return from_json(dump(patched), type(old), gvk, call, options)

    return apply


def _change(patch: Patch) -> Change:
    match patch.type:
        case PatchType.JSON:
            operations = json_patch.decode(patch.data)
            return lambda document: json_patch.apply(document, operations)
        case PatchType.MERGE:
            merge = merge_patch.decode(patch.data)
            return lambda document: merge_patch.apply(document, merge)
        case _:
            raise errors.unsupported_media_type(_ACCEPTED)


_ACCEPTED: Final = [PatchType.JSON.value, PatchType.MERGE.value]
