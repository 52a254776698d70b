"""What a special subresource answers; the caller is limited and authorized before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubewire.machinery import errors

if TYPE_CHECKING:
    from kubewire.apiserver.contracts import Body, Call, Patch, Written
    from kubewire.apiserver.item import Item
    from kubewire.apiserver.options import GetOptions, WriteOptions
    from kubewire.apiserver.registry.core import Core
    from kubewire.machinery.errors import StatusError


class Special:
    """Answers no verb; each subresource overrides those it has."""

    async def get(self, core: Core, call: Call, options: GetOptions) -> Item:  # noqa: ARG002 - for overriding
        """Read it."""
        raise _unsupported(call, "get")

    async def create(self, core: Core, call: Call, body: Body, options: WriteOptions) -> Written:  # noqa: ARG002
        """Post to it."""
        raise _unsupported(call, "create")

    async def create_named(self, core: Core, call: Call, body: Body, options: WriteOptions) -> Written:  # noqa: ARG002
        """Post to it what names the object by itself, as one of a batch."""
        raise _unsupported(call, "create")

    async def update(self, core: Core, call: Call, body: Body, options: WriteOptions) -> Written:  # noqa: ARG002
        """Replace it."""
        raise _unsupported(call, "update")

    async def patch(self, core: Core, call: Call, patch: Patch, options: WriteOptions) -> Written:  # noqa: ARG002
        """Patch it."""
        raise _unsupported(call, "patch")


def _unsupported(call: Call, verb: str) -> StatusError:
    return errors.method_not_supported(call.resource.group_resource, verb)
