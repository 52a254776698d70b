"""Groups of watchers: shared batches, windows, bookmarks, slow watchers, ends."""

import asyncio

import pytest

from kubewire.apiserver.cache import watchers
from kubewire.apiserver.cache.selection import EVERYTHING, Selection
from kubewire.apiserver.cache.watchers import GroupKey, Watcher, WatchGroup
from kubewire.apiserver.item import Batch
from kubewire.machinery import errors
from kubewire.machinery.errors import StatusError
from kubewire.machinery.selectors import labels
from tests.unit.apiserver.cache.objects import added, pod
from tests.unit.apiserver.cache.running import shown


class Group:
    """A group whose kind has seen `revision`."""

    def __init__(self, selection: Selection = EVERYTHING, window_seconds: float = 0.0) -> None:
        self.revision = 1
        self.group = WatchGroup(GroupKey(selection, window_seconds), lambda: self.revision)

    def join(self, *first: Batch, bookmarks: bool = False) -> Watcher:
        """One more watcher."""
        return Watcher(self.group, iter(first), bookmarks=bookmarks, leave=self.group.watchers.discard)

    def send(self, *keys: str) -> None:
        """Additions of pods, as one moment's events."""
        for key in keys:
            self.revision += 1
            self.group.offer(added(pod(key, self.revision, app=key.replace("/", "-"))))
        self.group.settle()


async def keys(watcher: Watcher) -> list[str]:
    """Keys of the next batch."""
    return [event.item.key if event.item else event.type for event in (await anext(watcher)).events]


async def test_watchers_share_batches() -> None:
    """Everybody gets the very same batch, so that it is encoded once."""
    group = Group()
    one, two = group.join(), group.join()
    group.send("a/x", "a/y")
    batch = await anext(one)
    assert batch is await anext(two)
    assert shown(batch.events) == [("ADDED", "a/x", 2), ("ADDED", "a/y", 3)]


async def test_only_what_comes_after() -> None:
    """A watcher gets what was sent after it joined, after what it was given to begin with."""
    group = Group()
    group.send("a/before")
    watcher = group.join(Batch([added(pod("a/first"))]))
    group.send("a/after")
    assert [await keys(watcher), await keys(watcher)] == [["a/first"], ["a/after"]]


async def test_waiting() -> None:
    """A watcher that has read everything waits and is woken by the next batch."""
    group = Group()
    watcher = group.join()
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(keys(watcher))
        await asyncio.sleep(1)
        assert not waiting.done()
        group.send("a/x")
    assert waiting.result() == ["a/x"]


async def test_selectors_filter_once() -> None:
    """Events outside the selection are not sent."""
    group = Group(Selection("", labels.parse("app=a-x")))
    watcher = group.join()
    group.send("a/x", "a/y")
    group.send("a/z")
    group.send("a/x")
    assert [await keys(watcher), await keys(watcher)] == [["a/x"], ["a/x"]]


async def test_window() -> None:
    """With a window the first event goes at once, those that follow within it together when it is over."""
    group = Group(window_seconds=0.01)
    watcher = group.join()
    start = asyncio.get_running_loop().time()
    group.send("a/1")
    assert await keys(watcher) == ["a/1"]
    assert asyncio.get_running_loop().time() == start
    group.send("a/2")
    group.send("a/3")
    assert await keys(watcher) == ["a/2", "a/3"]
    assert asyncio.get_running_loop().time() == pytest.approx(start + 0.01)
    await asyncio.sleep(1)
    group.send("a/4")
    assert await keys(watcher) == ["a/4"]
    assert asyncio.get_running_loop().time() == pytest.approx(start + 1.01)


async def test_bookmarks() -> None:
    """A bookmark comes when everything before it was read, with what is seen by then, if asked for."""
    group = Group()
    taking, refusing = group.join(bookmarks=True), group.join()
    group.send("a/x")
    for watcher in (taking, refusing):
        watcher.remind()
    assert await keys(taking) == ["a/x"]
    group.revision = 9
    assert shown((await anext(taking)).events) == [("BOOKMARK", "", 9)]
    group.send("a/y")
    assert await keys(taking) == ["a/y"]
    assert [await keys(refusing), await keys(refusing)] == [["a/x"], ["a/y"]]


async def test_bookmarks_do_not_overtake_the_window() -> None:
    """What waits for the window goes out before a bookmark."""
    group = Group(window_seconds=10)
    watcher = group.join(bookmarks=True)
    group.send("a/1")
    group.send("a/2")
    watcher.remind()
    assert [await keys(watcher), await keys(watcher), await keys(watcher)] == [["a/1"], ["a/2"], ["BOOKMARK"]]


async def test_bookmarks_are_shared() -> None:
    """Those who are reminded at the same revision get the same batch."""
    group = Group()
    one, two = group.join(bookmarks=True), group.join(bookmarks=True)
    one.remind()
    two.remind()
    assert await anext(one) is await anext(two)


async def test_finish() -> None:
    """At its timeout a watch hands out what was sent, a last bookmark, and ends normally; later events do not come."""
    group = Group()
    watcher = group.join(bookmarks=True)
    watcher.finish_after(5)
    group.send("a/x")
    await asyncio.sleep(6)
    group.send("a/later")
    assert [await keys(watcher), await keys(watcher)] == [["a/x"], ["BOOKMARK"]]
    with pytest.raises(StopAsyncIteration):
        await anext(watcher)
    assert not group.group.watchers


async def test_failure_after_what_was_sent() -> None:
    """A failed watch first hands out what was sent before."""
    group = Group()
    watcher = group.join()
    group.send("a/x")
    watcher.fail(errors.expired("gone"))
    group.send("a/later")
    assert await keys(watcher) == ["a/x"]
    for _ in range(2):
        with pytest.raises(StatusError, match="gone"):
            await anext(watcher)


async def test_slow_watchers_are_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """A watcher that is too far behind is ended at once and counted; the others go on."""
    monkeypatch.setattr(watchers, "MAX_BEHIND_BYTES", 3 * watchers.EVENT_BYTES + 300)
    group = Group()
    slow, quick = group.join(Batch([added(pod("a/first"))])), group.join()
    for index in range(5):
        group.send(f"a/{index}")
        assert await keys(quick) == [f"a/{index}"]
    with pytest.raises(StatusError) as failure:
        await anext(slow)
    assert failure.value.code == 503
    assert slow.is_too_slow
    assert group.group.watchers == {quick}


async def test_one_large_batch_ends_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """A watcher that had read everything is not too slow, however large the next batch is."""
    monkeypatch.setattr(watchers, "MAX_BEHIND_BYTES", 100)
    group = Group()
    watcher = group.join()
    group.send("a/1", "a/2", "a/3")
    assert await keys(watcher) == ["a/1", "a/2", "a/3"]


async def test_close_wakes_the_reader() -> None:
    """Closing ends an iteration that waits."""
    group = Group()
    watcher = group.join()
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(anext(watcher, None))
        await asyncio.sleep(1)
        await watcher.aclose()
        await watcher.aclose()
    assert waiting.result() is None
