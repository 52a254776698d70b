"""Creates what has to be there and is not. Objects that are there are left as they are, unless they mislead."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from kubewire.apiserver.contracts import Body, Call, Encoding, Identity
from kubewire.apiserver.options import GetOptions, WriteOptions
from kubewire.component.log import Logger
from kubewire.machinery.errors import Reason, StatusError

if TYPE_CHECKING:
    from kubewire.api.meta.v1.object_meta_pb2 import ObjectMeta
    from kubewire.apiserver.bootstrap.objects import Wanted
    from kubewire.apiserver.contracts import Objects
    from kubewire.apiserver.item import Item
    from kubewire.machinery.resources import Resource, ResourceTable

_LOG: Final = Logger("apiserver.bootstrap")
_PAUSE_SECONDS: Final = 1.0
_SERVER_FAULT: Final = 500
_FROM_CACHE: Final = GetOptions("0")
_USER_AGENT: Final = "kubewire-apiserver"

SERVER: Final = Identity("system:apiserver", groups=("system:masters", "system:authenticated"))
"""As whom the server itself acts."""


async def create_missing(objects: Objects, resources: ResourceTable, wanted: Iterable[Wanted]) -> None:
    """Create each unless it is there. While the store is away it is tried again: this ends when all are there.

    Raises:
        StatusError: one was refused.
    """
    for one in wanted:
        resource = resources.by_plural(one.group, one.version, one.plural)
        assert resource is not None, f"{one.plural} are in the table"
        await _ensure(objects, resource, one)


async def _ensure(objects: Objects, resource: Resource, wanted: Wanted) -> None:
    metadata: ObjectMeta = wanted.object.metadata  # type: ignore[attr-defined]  # every kind has it
    body = Body(wanted.object.SerializeToString(), Encoding.PROTOBUF)
    call = Call(SERVER, resource, metadata.namespace, metadata.name, user_agent=_USER_AGENT)
    while True:
        try:
            found = await _find(objects, call)
            if found is not None and wanted.is_current(found.raw):
                return
            if found is not None:
                await objects.update(call, body, WriteOptions())
                return
            await objects.create(replace(call, name=""), body, WriteOptions())
        except StatusError as error:
            if error.reason == Reason.ALREADY_EXISTS:
                return
            if error.code < _SERVER_FAULT:
                raise
            _LOG.warning("could not create yet", resource=str(resource.group_resource), object=metadata.name, why=error)
            await asyncio.sleep(_PAUSE_SECONDS)
        else:
            _LOG.debug("created", resource=str(resource.group_resource), object=metadata.name)
            return


async def _find(objects: Objects, call: Call) -> Item | None:
    """What the cache has: asked before, so that a server that starts again writes nothing."""
    try:
        return await objects.get(call, _FROM_CACHE)
    except StatusError as error:
        if error.reason != Reason.NOT_FOUND:
            raise
        return None
