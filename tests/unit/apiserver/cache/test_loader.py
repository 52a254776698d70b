"""Reading everything at one revision."""

from kubewire.apiserver.cache.loader import PAGE_BYTES, load_pages, next_limit, starting_revision
from kubewire.apiserver.storage.memory import MemoryStore
from tests.unit.apiserver.cache.running import Pods


async def test_pages_are_one_snapshot() -> None:
    """Pages are of the revision asked for, although things are written between them."""
    store = MemoryStore()
    pods = Pods(store)
    revision = await pods.fill("a/1", "a/2", "a/3", "a/4", "a/5")
    found: list[bytes] = []
    async for entries in load_pages(store, revision, 2):
        assert len(entries) <= (2 if not found else 8)
        found += [entry.key for entry in entries]
        await pods.put("a/9")
        await pods.put("a/5", app="web")
    assert found == [f"/registry/pods/a/{index}".encode() for index in range(1, 6)]


async def test_empty_store() -> None:
    """Nothing is there at first."""
    assert [entries async for entries in load_pages(MemoryStore(), 1, 2)] == [[]]


async def test_where_to_start() -> None:
    """A backlog behind the newest revision if it is there, never before the first, else the newest."""
    store = MemoryStore()
    newest = await Pods(store).fill("a/1", "a/2", "a/3")
    assert await starting_revision(store, 0) == newest
    assert await starting_revision(store, 2) == newest - 2
    assert await starting_revision(store, 1000) == 1
    await store.compact(newest)
    assert await starting_revision(store, 2) == newest


def test_pages_by_weight() -> None:
    """Pages of small objects grow, those of large ones shrink, and each has at least one key."""
    assert next_limit(500, PAGE_BYTES // 2) == 1000
    assert next_limit(500, 0) == 2000
    assert next_limit(4000, 1) == 5000
    assert next_limit(500, PAGE_BYTES * 50) == 10
    assert next_limit(1, PAGE_BYTES * 50) == 1
