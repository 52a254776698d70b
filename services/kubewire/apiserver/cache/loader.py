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


PAGE_BYTES = 8 << 20
"""What a page of the load should weigh: large enough to need few of them, small enough for etcd and for us."""

_KEYS_MAX = 5000


def next_limit(limit: int, page_bytes: int) -> int:
    """How many keys to read next, after a page of `limit` keys weighed so much."""
    fitting = limit * PAGE_BYTES // max(page_bytes, 1)
    return max(1, min(fitting, limit * 4, _KEYS_MAX))


async def load_pages(store: Store, revision: int, first_limit: int) -> AsyncIterator[list[Entry]]:
    """All entries at `revision`, in key order, in pages of about PAGE_BYTES; the first has `first_limit` keys.

    Raises:
        Compacted: the store forgot the revision before everything was read.
    """
    start, end, limit = ROOT, prefix_end(ROOT), first_limit
    while True:
        page = await store.page(start, end, limit=limit, revision=revision)
        yield page.entries
        if not page.remaining or not page.entries:
            return
        start = page.entries[-1].key + b"\0"
        limit = next_limit(limit, sum(len(entry.value) for entry in page.entries))
