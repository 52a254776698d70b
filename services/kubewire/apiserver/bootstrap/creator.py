"""Creates what has to be there and is not. Objects that are there are left as they are."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from kubewire.apiserver.contracts import Body, Call, Encoding, Identity
from kubewire.apiserver.options import WriteOptions
from kubewire.component.log import Logger
from kubewire.machinery.errors import Reason, StatusError

if TYPE_CHECKING:
    from kubewire.api.meta.v1.object_meta_pb2 import ObjectMeta
    from kubewire.apiserver.bootstrap.objects import Wanted
    from kubewire.apiserver.contracts import Objects
    from kubewire.machinery.resources import ResourceTable

_LOG: Final = Logger("apiserver.bootstrap")
_PAUSE_SECONDS: Final = 1.0
_ATTEMPTS: Final = 30

SERVER: Final = Identity("system:apiserver", groups=("system:masters", "system:authenticated"))
"""As whom the server itself acts."""


async def create_missing(objects: Objects, resources: ResourceTable, wanted: Iterable[Wanted]) -> None:
    """Create each unless it is there; tried again for half a minute while the store is away.

    Raises:
        StatusError: one could not be created.
    """
    for one in wanted:
        await _create(objects, resources, one)


async def _create(objects: Objects, resources: ResourceTable, wanted: Wanted) -> None:
    resource = resources.by_plural(wanted.group, wanted.version, wanted.plural)
    assert resource is not None, f"{wanted.plural} are in the table"
    metadata: ObjectMeta = wanted.object.metadata  # type: ignore[attr-defined]  # every kind has it
    body = Body(wanted.object.SerializeToString(), Encoding.PROTOBUF)
    for attempt in range(_ATTEMPTS):
        call = Call(SERVER, resource, metadata.namespace, user_agent="kubewire-apiserver")
        try:
            await objects.create(call, body, WriteOptions())
        except StatusError as error:
            if error.reason == Reason.ALREADY_EXISTS:
                return
            if error.code < 500 or attempt == _ATTEMPTS - 1:
                raise
            _LOG.warning("could not create yet", resource=str(resource.group_resource), object=metadata.name, why=error)
            await asyncio.sleep(_PAUSE_SECONDS)
        else:
            _LOG.info("created", resource=str(resource.group_resource), object=metadata.name)
            return
