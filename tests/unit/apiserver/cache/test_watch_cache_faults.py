"""Two caches over one store through random faults: what clients see must be the truth, in order, once, and complete."""

import asyncio
import random
from collections.abc import Sequence

import pytest

from kubewire.apiserver.cache.options import CacheOptions
from kubewire.apiserver.cache.reader import WatchPlan
from kubewire.apiserver.cache.selection import EVERYTHING, Selection
from kubewire.apiserver.cache.versions import ANY, LATEST, Freshness, ReadAt
from kubewire.apiserver.cache.watch_cache import WatchCache
from kubewire.apiserver.item import Event
from kubewire.apiserver.storage.errors import StorageError
from kubewire.apiserver.storage.memory import MemoryStore
from kubewire.machinery.errors import StatusError
from kubewire.machinery.selectors import fields, labels
from tests.unit.apiserver.cache.objects import pod, store_key, stored_pod
from tests.unit.apiserver.cache.running import pods_of, running

SELECTIONS = [
    EVERYTHING,
    Selection("a"),
    Selection("", labels.parse("app=web")),
    Selection("b", labels.parse("app!=web")),
    Selection("", None, fields.parse("spec.nodeName=n1")),
    Selection("", None, fields.parse("metadata.name=p1")),
]
SECONDS = 20.0
_RETRY_SECONDS = 0.01
"""Virtual time passes only while everybody waits."""

Seen = tuple[str, str, int]


class World(MemoryStore):
    """The store, and the truth about every revision of pods: key to (node, app)."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.random = random.Random(seed)
        self.states: dict[int, dict[str, tuple[str, str]]] = {1: {}}
        self.log: set[tuple[bytes, int]] = set()

    @property
    def newest(self) -> dict[str, tuple[str, str]]:
        """Pods now."""
        return self.states[max(self.states)]

    def write(self) -> None:
        """Create, change or delete a pod, or several at one revision, or something that is no pod."""
        chance = self.random
        key = f"{chance.choice('ab')}/p{chance.randrange(4)}"
        kind = chance.random()
        state = dict(self.newest)
        if kind < 0.1:
            self.put_foreign(chance.choice([b"/elsewhere", b"/registry/configmaps/a/x"]), b"x")
        elif kind < 0.2:
            gone = chance.sample(sorted(state), min(3, len(state)))
            self.expire([store_key(one) for one in gone])
            state = {one: value for one, value in state.items() if one not in gone}
        elif kind < 0.35 and key in state:
            self.expire([store_key(key)])
            del state[key]
        else:
            node, app = chance.choice(["", "n1", "n2"]), chance.choice(["web", "db"])
            self.put_foreign(store_key(key), stored_pod(key, node, app=app))
            state[key] = (node, app)
        self.states[self._revision] = state

    def at(self, revision: int) -> dict[str, tuple[str, str]]:
        """Pods at a revision."""
        return self.states[max(known for known in self.states if known <= revision)]

    def expected(self, selection: Selection, after: int, until: int) -> set[Seen]:
        """What a watcher must see of the revisions after one, up to another."""
        seen: set[Seen] = set()
        for revision in (known for known in sorted(self.states) if after < known <= until):
            before, now = self.at(revision - 1), self.states[revision]
            for key in before.keys() | now.keys():
                was, is_ = (selects(selection, key, state.get(key)) for state in (before, now))
                changed = self._written(key, revision)
                if changed and (was or is_):
                    seen.add(("DELETED" if not is_ else "MODIFIED" if was else "ADDED", key, revision))
        return seen

    def _written(self, key: str, revision: int) -> bool:
        return (store_key(key), revision) in self.log

    def _commit(self, writes: list[tuple[bytes, bytes | None]]) -> int:
        revision = super()._commit(writes)
        self.log.update((key, revision) for key, _ in writes)
        return revision


def selects(selection: Selection, key: str, state: tuple[str, str] | None) -> bool:
    """Whether a selection takes a pod in this state."""
    return state is not None and selection.matches(pod(key, 1, state[0], app=state[1]))


async def disturb(world: World, until: float) -> None:
    """Write without pause, break connections, compact."""
    clock, chance = asyncio.get_running_loop().time, world.random
    while clock() < until:
        for _ in range(chance.randrange(1, 6)):
            world.write()
        await asyncio.sleep(chance.choice([0, 0.001, 0.01, 0.1]))
        event = chance.random()
        if event < 0.1:
            world.break_watches()
        elif event < 0.13:
            world.is_reachable = False
            world.break_watches()
            await asyncio.sleep(chance.random() * 3)
            world.is_reachable = True
        elif event < 0.16:
            await world.compact(max(1, world._revision - chance.choice([0, 1, 5, 50])))


async def listen(world: World, caches: Sequence[WatchCache], selection: Selection, until: float) -> int:
    """List, watch, resume wherever and whenever a watch ends; check everything seen. Returns how much that was."""
    clock, total = asyncio.get_running_loop().time, 0
    last: int | None = None
    while clock() < until:
        reader = pods_of(world.random.choice(caches))
        try:
            if last is None:
                page = await reader.list(selection, at=world.random.choice([LATEST, ANY]))
                assert {item.key for item in page.items} == {
                    key for key, state in world.at(page.revision).items() if selects(selection, key, state)
                }
                last = page.revision
            seconds = world.random.random() * 2
            window = world.random.choice([0.0, 0.01])
            watch = await reader.watch(
                WatchPlan(selection, after=last, bookmarks=True, timeout_seconds=seconds, window_seconds=window)
            )
            async for batch in watch:
                last = check(world, selection, last, batch.events)
                total += len(batch.events)
                await asyncio.sleep(world.random.choice([0, 0, 0.05]))
        except StatusError as failure:
            last = None if must_list_again(failure) else last
            await asyncio.sleep(_RETRY_SECONDS)
    return total


def must_list_again(failure: StatusError) -> bool:
    """Whether history is gone; any failure but that and being away is a fault."""
    if failure.code not in {410, 503, 504}:
        raise failure
    return failure.code == 410


def check(world: World, selection: Selection, last: int, events: Sequence[Event]) -> int:
    """Events of one batch are all there was since `last`, each once, in order; returns how far they reach."""
    until = events[-1].revision
    seen = [(event.type, event.item.key if event.item else "", event.revision) for event in events]
    pods = [one for one in seen if one[0] != "BOOKMARK"]
    assert [revision for _, _, revision in seen] == sorted(revision for _, _, revision in seen)
    assert len(set(pods)) == len(pods)
    assert set(pods) == world.expected(selection, last, until)
    return until


async def page_through(world: World, caches: Sequence[WatchCache], until: float) -> int:
    """Lists in pages from changing servers: each is one snapshot or ends as expired. Returns how many were whole."""
    clock, whole = asyncio.get_running_loop().time, 0
    while clock() < until:
        selection = world.random.choice(SELECTIONS)
        token, found, revision = "", list[str](), 0
        try:
            while True:
                reader = pods_of(world.random.choice(caches))
                page = await reader.list(selection, limit=2, continue_token=token)
                assert revision in {0, page.revision}
                revision = page.revision
                found += [item.key for item in page.items]
                token = page.continue_token
                if not token:
                    break
                await asyncio.sleep(world.random.choice([0, 0.01, 1]))
        except StatusError as failure:
            must_list_again(failure)
            await asyncio.sleep(_RETRY_SECONDS)
            continue
        truth = world.at(revision)
        assert found == sorted(key for key, state in truth.items() if selects(selection, key, state))
        whole += 1
        await asyncio.sleep(_RETRY_SECONDS)
    return whole


async def read(world: World, caches: Sequence[WatchCache], until: float) -> None:
    """Linearizable reads are never older than what was confirmed before them; others never go back behind theirs."""
    clock = asyncio.get_running_loop().time
    while clock() < until:
        cache = world.random.choice(caches)
        confirmed = world._revision
        try:
            page = await pods_of(cache).list(at=world.random.choice([LATEST, ReadAt(Freshness.NOT_OLDER, confirmed)]))
            assert page.revision >= confirmed
            assert {item.key for item in page.items} == world.at(page.revision).keys()
        except (StatusError, StorageError):
            pass
        await asyncio.sleep(0.05)


async def hold(seed: int) -> None:
    """One run: lists, pages, reads and watches are checked against the truth while everything is disturbed."""
    world = World(seed)
    options = CacheOptions(barrier_timeout_seconds=2.0, bookmark_seconds=1.0, history_seconds=5.0, backlog_revisions=20)
    async with running(world, options) as one, running(world, options) as two, asyncio.TaskGroup() as group:
        until = asyncio.get_running_loop().time() + SECONDS
        group.create_task(disturb(world, until))
        listeners = [group.create_task(listen(world, [one, two], selection, until)) for selection in SELECTIONS]
        pager = group.create_task(page_through(world, [one, two], until))
        group.create_task(read(world, [one, two], until))
    assert all(listener.result() > 10 for listener in listeners)
    assert pager.result() > 3


@pytest.mark.parametrize("seed", range(6))
async def test_nothing_is_lost_repeated_or_made_up(seed: int) -> None:
    """Lists, pages, reads and watches agree with the truth through broken connections, outages and compactions."""
    await hold(seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(6, 206))
async def test_the_same_for_long(seed: int) -> None:
    """Nor in many more such runs."""
    await hold(seed)
