"""Every verb on one object or one list: ask the core, answer with bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kubewire.api.meta.v1.object_meta_pb2 import ListMeta
from kubewire.api.meta.v1.status_pb2 import Status
from kubewire.apiserver.contracts import Patch, PatchType, Written
from kubewire.apiserver.rpc import request as requests
from kubewire.apiserver.rpc.forms import encode
from kubewire.apiserver.rpc.methods import Verb
from kubewire.apiserver.rpc.pages import PageSizes, encode_page

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from kubewire.apiserver.contracts import Objects
    from kubewire.apiserver.rpc.asked import Asked

SUCCESS: Final = Status(metadata=ListMeta(), status="Success", code=201).SerializeToString(deterministic=True)
"""What binding and eviction answer with."""


class Actions:
    """The verbs that answer once. Each raises StatusError."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._pages = PageSizes()
        self.by_verb: Mapping[Verb, Callable[[Asked], Awaitable[bytes]]] = {
            Verb.GET: self.get,
            Verb.LIST: self.list,
            Verb.CREATE: self.create,
            Verb.UPDATE: self.update,
            Verb.PATCH: self.patch,
            Verb.APPLY: self.apply,
            Verb.DELETE: self.delete,
        }

    async def get(self, asked: Asked) -> bytes:
        """The object."""
        item = await self._objects.get(asked.call, requests.get_options(asked.options))
        return encode(asked.form, item.raw)

    async def list(self, asked: Asked) -> bytes:
        """One page; of about a megabyte unless the options limit it."""
        options = requests.list_options(asked.options)
        page = await self._pages.list(
            asked.call.resource, options, lambda limited: self._objects.list(asked.call, limited)
        )
        return encode_page(page, asked.form)

    async def create(self, asked: Asked) -> bytes:
        """The object as created, or what its subresource answers with."""
        options = requests.create_options(asked.options)
        return _written(asked, await self._objects.create(asked.call, asked.body, options))

    async def update(self, asked: Asked) -> bytes:
        """The object as updated."""
        options = requests.update_options(asked.options)
        return _written(asked, await self._objects.update(asked.call, asked.body, options))

    async def patch(self, asked: Asked) -> bytes:
        """The object as patched."""
        kind = requests.patch_type(asked.request)
        options = requests.patch_options(asked.options, kind)
        return _written(asked, await self._objects.patch(asked.call, Patch(kind, asked.request.patch), options))

    async def apply(self, asked: Asked) -> bytes:
        """Server-side apply of the fields that the object has."""
        from kubewire.apiserver.rpc.typed_apply import manifest_of  # noqa: PLC0415 - loads the codec, few calls need it

        options = requests.patch_options(asked.options, PatchType.APPLY_YAML)
        patch = Patch(PatchType.APPLY_YAML, manifest_of(asked.call, asked.object))
        return _written(asked, await self._objects.patch(asked.call, patch, options))

    async def delete(self, asked: Asked) -> bytes:
        """The object as it was deleted, or as it is while something holds it."""
        deleted = await self._objects.delete(asked.call, requests.delete_options(asked.options))
        return encode(asked.form, deleted.item.raw)


def _written(asked: Asked, written: Written) -> bytes:
    return encode(asked.form, SUCCESS if asked.answers_status else written.item.raw)
