"""The clients of a run: each does one thing after another, as its seed says, and notes what it was told.

What a client knows of an object it has from its own reads and writes, so its guards are often, and rightly, too old.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

from tests.robustness.api import Api, Content, ListQuery, Stored, Unexpected
from tests.robustness.history import Freshness, Operation, Outcome, Verb, Version
from tests.robustness.recorder import Recorder, Tags, read_pages

NAMESPACES: Final = ("robust-a", "robust-b")
HOT_NAME: Final = "hot"
NAMES: Final = tuple(f"m{number}" for number in range(6))
LEASED_NAMES: Final = tuple(f"leased{number}" for number in range(6))
"""Of objects that foreign clients hang on leases; others seldom touch them, or nothing would be left to expire."""

_WEIGHTS: Final = {HOT_NAME: 4.0, **dict.fromkeys(NAMES, 1.0), **dict.fromkeys(LEASED_NAMES, 0.1)}
LABELS: Final = ("red", "blue")
_PAUSE_SECONDS: Final = 0.03
_PAUSE_AFTER_LOSS_SECONDS: Final = 0.05
_CHANGE_SHARE: Final = 0.1
_LARGEST_PADDING: Final = 3000
_FRESHNESS: Final = (Freshness.LATEST, Freshness.LATEST, Freshness.ANY, Freshness.NOT_OLDER)


@dataclass
class Client:
    """One client with connections to one or more servers; it changes over when it gets no answer, and now and then.

    Attributes:
        known: revisions of objects as this client has last seen them.
        listed: the revision of the last list it has seen.
    """

    name: str
    apis: Sequence[Api]
    recorder: Recorder
    tags: Tags
    random: Random
    known: dict[str, int] = field(default_factory=dict)
    listed: int = 0
    _current: int = 0
    _is_racing: bool = False

    async def run(self, stop: asyncio.Event) -> None:
        """One request after another until told to stop."""
        actions: tuple[tuple[Callable[[str], Awaitable[Operation]], int], ...] = (
            (self.create, 16),
            (self.update, 16),
            (self.update_guarded, 16),
            (self.patch, 14),
            (self.delete, 8),
            (self.delete_guarded, 6),
            (self.get, 20),
            (self.list, 8),
            (self.race, 8),
        )
        calls, weights = zip(*actions, strict=True)
        while not stop.is_set():
            [action] = self.random.choices(calls, weights)
            operation = await action(self._choose_key())
            is_lost = operation.outcome is Outcome.UNKNOWN
            if is_lost or self.random.random() < _CHANGE_SHARE:
                self._current += 1
            await asyncio.sleep(self.random.uniform(0, _PAUSE_SECONDS) + is_lost * _PAUSE_AFTER_LOSS_SECONDS)

    @property
    def api(self) -> Api:
        """The connection it uses at the moment; any in a race."""
        return self.random.choice(self.apis) if self._is_racing else self.apis[self._current % len(self.apis)]

    async def create(self, key: str, label: str = "") -> Operation:
        """Create an object."""
        content = self._content(label)
        return await self._write(self._operation(Verb.CREATE, key, content), self.api.create(key, content))

    async def update(self, key: str) -> Operation:
        """Replace an object, whatever it is."""
        content = self._content()
        return await self._write(self._operation(Verb.UPDATE, key, content), self.api.update(key, content, 0))

    async def update_guarded(self, key: str) -> Operation:
        """Replace the object that was seen."""
        content = self._content()
        operation = self._operation(Verb.UPDATE, key, content)
        operation.guard = self.known.get(key, 0)
        return await self._write(operation, self.api.update(key, content, operation.guard))

    async def patch(self, key: str) -> Operation:
        """Change the tag alone."""
        operation = self._operation(Verb.PATCH, key, self._content())
        operation.label = None
        return await self._write(operation, self.api.patch(key, operation.tag))

    async def delete(self, key: str) -> Operation:
        """Delete an object, whatever it is."""
        return await self._delete(key, 0)

    async def delete_guarded(self, key: str) -> Operation:
        """Delete the object that was seen."""
        return await self._delete(key, self.known.get(key, 0))

    async def race(self, key: str) -> Operation:
        """Write the same object several times at once, over several servers."""
        writes = (self.update_guarded, self.update_guarded, self.patch, self.patch, self.update, self.delete_guarded)
        await self.get(key)
        self._is_racing = True
        async with asyncio.TaskGroup() as group:
            racing = [group.create_task(write(key)) for write in self.random.sample(writes, 4)]
        self._is_racing = False
        return racing[-1].result()

    async def get(self, key: str) -> Operation:
        """Read an object: linearizable, from the cache, or not older than what was seen."""
        operation = Operation(self.name, Verb.GET, key, 0.0)
        version = self._choose_freshness(operation)

        async def ask() -> None:
            found = await self.api.get(key, version)
            self.known[key] = found.revision
            operation.observed = Version(found.tag, found.revision)

        await self.recorder.note(operation, ask())
        return operation

    async def list(self, key: str) -> Operation:
        """Read a key's namespace or all, selected or not, whole or in pages, which may come from several servers."""
        prefix = self.random.choice((key[: key.index("/") + 1], ""))
        operation = Operation(self.name, Verb.LIST, prefix, 0.0)
        operation.label = self.random.choice((None, None, *LABELS))
        version = self._choose_freshness(operation)
        match = self._choose_match(operation)
        limit = self.random.choice((0, 0, 2, 3, 5))
        if limit and version not in ("", "0") and not match:
            operation.freshness = Freshness.EXACT  # so it was before resourceVersionMatch existed
        query = ListQuery(version, match, operation.label, limit)
        await self.recorder.note(operation, read_pages(lambda: self.random.choice(self.apis), operation, query))
        if operation.outcome is Outcome.DONE:
            self.listed = operation.revision
        return operation

    async def _write(self, operation: Operation, request: Awaitable[Stored]) -> Operation:
        async def ask() -> None:
            found = await request
            operation.revision = found.revision
            if found.key != operation.key or found.tag != operation.tag:
                raise Unexpected(f"was answered with {found}")
            self.known[found.key] = found.revision

        await self.recorder.note(operation, ask())
        return operation

    async def _delete(self, key: str, guard: int) -> Operation:
        operation = Operation(self.name, Verb.DELETE, key, 0.0, guard=guard)

        async def ask() -> None:
            operation.revision = await self.api.delete(key, guard)

        await self.recorder.note(operation, ask())
        return operation

    def _operation(self, verb: Verb, key: str, content: Content) -> Operation:
        return Operation(self.name, verb, key, 0.0, tag=content.tag, label=content.label)

    def _content(self, label: str = "") -> Content:
        size = self.random.randrange(_LARGEST_PADDING)
        return Content(self.tags.next(self.name), label or self.random.choice(LABELS), size)

    def _choose_key(self) -> str:
        """Any object; some are fought over."""
        [name] = self.random.choices([*_WEIGHTS], [*_WEIGHTS.values()])
        return f"{self.random.choice(NAMESPACES)}/{name}"

    def _choose_freshness(self, operation: Operation) -> str:
        """How new a read must be, and the version it names for that."""
        seen = self.known.get(operation.key, 0) or self.listed
        operation.freshness = self.random.choice(_FRESHNESS)
        if operation.freshness is Freshness.NOT_OLDER and not seen:
            operation.freshness = Freshness.LATEST
        if operation.freshness is Freshness.NOT_OLDER:
            operation.asked = seen
            return str(seen)
        return "0" if operation.freshness is Freshness.ANY else ""

    def _choose_match(self, operation: Operation) -> str:
        if operation.freshness is not Freshness.NOT_OLDER:
            return ""
        match = self.random.choice(("", "NotOlderThan", "Exact"))
        if match == "Exact":
            operation.freshness = Freshness.EXACT
        return match
