"""Lists: how many objects a page has, and its bytes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from kubewire.machinery.wire import field, header, number_field

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from kubewire.apiserver.item import Page
    from kubewire.apiserver.options import ListOptions
    from kubewire.apiserver.rpc.forms import Form
    from kubewire.machinery.resources import Resource

PAGE_BYTES: Final = 1 << 20
"""What a page should not exceed unless its caller asked for a number of objects."""

PAGE_BYTES_AT_MOST: Final = 3 << 20
"""What a page must not exceed then: gRPC clients refuse answers over 4 MiB unless told otherwise."""

_FIRST_GUESS: Final = 512
_LIMIT_AT_MOST: Final = 8192


class PageSizes:
    """Chooses how many objects fill a page, from the sizes of those that were listed before.

    Limits are powers of two, so that equal lists ask for equal pages and may share them.
    """

    def __init__(self) -> None:
        self._limits: dict[Resource, int] = {}

    async def list(
        self, resource: Resource, options: ListOptions, list_page: Callable[[ListOptions], Awaitable[Page]]
    ) -> Page:
        """One page; asked for again with a smaller limit while its objects are larger than expected."""
        if options.limit:
            return await list_page(options)
        limit = self._limits.get(resource, _FIRST_GUESS)
        while True:
            page = await list_page(replace(options, limit=limit))
            size = sum(len(item.raw) for item in page.items)
            if page.items:
                self._limits[resource] = _fitting(size // len(page.items))
            if size <= PAGE_BYTES_AT_MOST or limit == 1:
                return page
            limit = max(1, min(limit // 2, _leading(page)))


def _fitting(mean_bytes: int) -> int:
    """The largest power of two of objects of this size that stays within a page."""
    count = max(1, min(PAGE_BYTES // max(1, mean_bytes), _LIMIT_AT_MOST))
    return int(1 << (count.bit_length() - 1))


def _leading(page: Page) -> int:
    """How many of the first objects stay within a page."""
    room = PAGE_BYTES
    for count, item in enumerate(page.items):
        room -= len(item.raw)
        if room < 0:
            return count
    return len(page.items)


def encode_page(page: Page, form: Form) -> bytes:
    """The list's message. Its items are joined once for all pages that share them."""
    items = page.item_forms.get(form.name)
    if items is None:
        items = page.item_forms[form.name] = _join(page, form)
    meta = _list_meta(page)
    return b"".join((form.before_list(len(meta) + len(items)), meta, items))


def _join(page: Page, form: Form) -> bytes:
    parts: list[bytes] = []
    append, body = parts.append, form.body
    for item in page.items:
        data = body(item.raw)
        append(header(2, len(data)))
        append(data)
    return b"".join(parts)


def _list_meta(page: Page) -> bytes:
    """`meta.v1.ListMeta` as field 1: version, token and count of what follows."""
    meta = field(2, str(page.revision).encode())
    if page.continue_token:
        meta += field(3, page.continue_token.encode())
    if page.remaining is not None:
        meta += number_field(4, page.remaining)
    return field(1, meta)
