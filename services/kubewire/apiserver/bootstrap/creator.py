"""Creates what has to be there and is not. Objects that are there are left as they are."""

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
    from google.protobuf.message import Message

    from kubewire.api.meta.v1.object_meta_pb2 import ObjectMeta
    from kubewire.apiserver.bootstrap.objects import Wanted
    from kubewire.apiserver.contracts import Objects
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
        await _ensure(objects, resource, one.object)


async def _ensure(objects: Objects, resource: Resource, wanted: Message) -> None:
    metadata: ObjectMeta = wanted.metadata  # type: ignore[attr-defined]  # every kind has it
    call = Call(SERVER, resource, metadata.namespace, metadata.name, user_agent=_USER_AGENT)
    while True:
        try:
            if await _exists(objects, call):
                return
            body = Body(wanted.SerializeToString(), Encoding.PROTOBUF)
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


async def _exists(objects: Objects, call: Call) -> bool:
    """Whether the cache has it: asked before, so that a server that starts again writes nothing."""
    try:
        await objects.get(call, _FROM_CACHE)
    except StatusError as error:
        if error.reason != Reason.NOT_FOUND:
            raise
        return False
    return True
