"""`Objects` as the faces call it: every verb limited and authorized, then handed to who does it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from kubewire.apiserver.contracts import Body, Call, Deleted, Patch, PatchType, Watch, Written
from kubewire.apiserver.options import DeleteOptions, GetOptions, ListOptions, WatchOptions, WriteOptions
from kubewire.apiserver.registry import reads
from kubewire.apiserver.registry.applies import applied
from kubewire.apiserver.registry.batches import each
from kubewire.apiserver.registry.changes import patched, replaced
from kubewire.apiserver.registry.creates import create
from kubewire.apiserver.registry.deletes import delete
from kubewire.apiserver.registry.subresources.table import special_of
from kubewire.machinery import errors
from kubewire.machinery.errors import StatusError

if TYPE_CHECKING:
    from kubewire.apiserver.item import Item, Page
    from kubewire.apiserver.registry.core import Core


class Registry:
    """Implements `Objects`."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def get(self, call: Call, options: GetOptions) -> Item:
        """See `Objects`."""
        core = self._core
        with core.reads.admit(call):
            core.authorize(call, "get")
            special = special_of(call, core.kinds)
            if special is not None:
                return await special.get(core, call, options)
            return await reads.get(core, call, options)

    async def list(self, call: Call, options: ListOptions) -> Page:
        """See `Objects`."""
        core = self._core
        with core.reads.admit(call):
            core.authorize(call, "list", options.field_selector)
            return await reads.list_page(core, call, options)

    async def watch(self, call: Call, options: WatchOptions) -> Watch:
        """See `Objects`. Watches last, so they are not limited."""
        self._core.authorize(call, "watch", options.field_selector)
        return await reads.watch(self._core, call, options)

    async def create(self, call: Call, body: Body, options: WriteOptions) -> Written:
        """See `Objects`."""
        core = self._core
        with core.writes.admit(call):
            core.authorize(call, "create")
            special = special_of(call, core.kinds)
            if special is not None:
                return await special.create(core, call, body, options)
            if call.subresource:
                raise errors.method_not_supported(call.resource.group_resource, "create")
            return await create(core, call, body, options)

    async def create_many(
        self, call: Call, bodies: Sequence[Body], options: WriteOptions
    ) -> Sequence[Written | StatusError]:
        """See `Objects`. One batch counts as one request; its objects are written side by side."""
        core = self._core
        with core.writes.admit(call):
            core.authorize(call, "create")
            special = special_of(call, core.kinds)
            if special is not None:
                return await each(bodies, lambda body: special.create_named(core, call, body, options))
            return await each(bodies, lambda body: create(core, call, body, options))

    async def update(self, call: Call, body: Body, options: WriteOptions) -> Written:
        """See `Objects`."""
        core = self._core
        with core.writes.admit(call):
            core.authorize(call, "update")
            special = special_of(call, core.kinds)
            if special is not None:
                return await special.update(core, call, body, options)
            return await replaced(core, call, body, options)

    async def patch(self, call: Call, patch: Patch, options: WriteOptions) -> Written:
        """See `Objects`."""
        core = self._core
        with core.writes.admit(call):
            core.authorize(call, "patch")
            special = special_of(call, core.kinds)
            if special is not None:
                return await special.patch(core, call, patch, options)
            if patch.type is PatchType.APPLY_YAML:
                return await applied(core, call, patch, options)
            return await patched(core, call, patch, options)

    async def delete(self, call: Call, options: DeleteOptions) -> Deleted:
        """See `Objects`."""
        core = self._core
        with core.writes.admit(call):
            core.authorize(call, "delete")
            return await delete(core, call, options)

    async def delete_many(
        self, call: Call, names: Sequence[str], options: DeleteOptions
    ) -> Sequence[Deleted | StatusError]:
        """See `Objects`. Each name is authorized by itself: a role may name some objects only."""
        core = self._core

        async def delete_one(name: str) -> Deleted:
            one = replace(call, name=name)
            core.authorize(one, "delete")
            return await delete(core, one, options)

        with core.writes.admit(call):
            return await each(names, delete_one)

    async def delete_collection(self, call: Call, options: DeleteOptions, selection: ListOptions) -> Sequence[Item]:
        """See `Objects`."""
        core = self._core
        with core.writes.admit(call):
            core.authorize(call, "deletecollection", selection.field_selector)
            page = await reads.list_page(core, call, selection)
            results = await each(page.items, lambda item: delete(core, _call_for(call, item), options))
            for result in results:
                if isinstance(result, StatusError) and result.reason != errors.Reason.NOT_FOUND:
                    raise result
            return page.items


def _call_for(call: Call, item: Item) -> Call:
    return replace(call, namespace=item.namespace, name=item.name)
