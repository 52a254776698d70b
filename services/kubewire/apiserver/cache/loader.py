"""Reading everything under `/registry/` at one revision, page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator

from kubewire.apiserver.cache.routing import ROOT
from kubewire.apiserver.storage.errors import Compacted
from kubewire.apiserver.storage.store import Entry, Store, prefix_end


async def starting_revision(store: Store, backlog: int) -> int:
    """A revision to load at: `backlog` before the newest if that is still there, else the newest."""
    newest = await store.revision()
    wanted = max(1, newest - backlog)
    try:
        await store.page(ROOT, prefix_end(ROOT), limit=1, revision=wanted, keys_only=True)
    except Compacted:
        return newest
    return wanted


async def load_pages(store: Store, revision: int, page_size: int) -> AsyncIterator[list[Entry]]:
    """All entries at `revision`, in key order.

    Raises:
        Compacted: the store forgot the revision before everything was read.
    """
    start, end = ROOT, prefix_end(ROOT)
    while True:
        page = await store.page(start, end, limit=page_size, revision=revision)
        yield page.entries
        if not page.remaining or not page.entries:
            return
        start = page.entries[-1].key + b"\0"
