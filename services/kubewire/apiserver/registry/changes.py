"""Changing one object, or a part of it: by a whole new one, or by a patch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubewire.apiserver.registry import pipeline
from kubewire.apiserver.registry.decoding import decode_changed
from kubewire.apiserver.registry.patches import patcher
from kubewire.apiserver.registry.write import Write, begin
from kubewire.machinery import errors

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from kubewire.apiserver.contracts import Body, Call, Patch, Written
    from kubewire.apiserver.options import WriteOptions
    from kubewire.apiserver.registry.core import Core
    from kubewire.apiserver.strategy.contracts import UpdateStrategy


async def replaced(core: Core, call: Call, body: Body, options: WriteOptions) -> Written:
    """Put a whole object in the place of the stored one (of its status ...)."""
    write = begin(core, call, "update", options)
    write.updating = updating_of(write)
    given = decode_changed(write, body)
    write.change = lambda _: _copy(given)
    await pipeline.update(write)
    return write.result


async def patched(core: Core, call: Call, patch: Patch, options: WriteOptions) -> Written:
    """Change the stored object by a patch."""
    write = begin(core, call, "patch", options)
    write.updating = updating_of(write)
    apply = patcher(patch, write.kind.resource.message, write.kind.resource.gvk, call, options)
    write.change = lambda one: apply(_old(one))
    await pipeline.update(write)
    return write.result


def updating_of(write: Write) -> UpdateStrategy:
    """How the part that the call names is updated."""
    name = write.call.subresource
    if not name:
        return write.kind.strategy
    return write.kind.strategy.subresources[name]


def _copy(given: Message) -> Message:
    """A message of one's own: an attempt changes what it is given, and may have to be repeated."""
    copied = type(given)()
    copied.CopyFrom(given)
    return copied


def _old(write: Write) -> Message:
    """The stored object with its version, since a patch may look at it."""
    if write.old is None or write.found is None:
        raise errors.not_found(write.kind.resource.group_resource, write.call.name)
    return write.found.message
