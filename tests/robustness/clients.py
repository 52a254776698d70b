"""The clients of a run: each does one thing after another, as its seed says, and notes what it was told.

What a client knows of an object it has from its own reads and writes, so its guards are often, and rightly, too old.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

from tests.robustness.api import Answered, Api, Content, ListQuery, Lost, Stored, Unexpected
from tests.robustness.history import Freshness, History, Operation, Outcome, Refusal, Verb, Version

NAMESPACES: Final = ("robust-a", "robust-b")
NAMES: Final = tuple(f"m{number}" for number in range(7))
LABELS: Final = ("red", "blue")
_PAUSE_SECONDS: Final = 0.03
_PAUSE_AFTER_LOSS_SECONDS: Final = 0.05
_CHANGE_SHARE: Final = 0.1
_LARGEST_PADDING: Final = 3000
_FRESHNESS: Final = (Freshness.LATEST, Freshness.LATEST, Freshness.ANY, Freshness.NOT_OLDER)

_REFUSALS: Final = {
    (409, "AlreadyExists"): Refusal.EXISTS,
    (409, "Conflict"): Refusal.CONFLICT,
    (404, "NotFound"): Refusal.MISSING,
    (410, "Expired"): Refusal.GONE,
    (429, "TooManyRequests"): Refusal.OTHER,
}
_SAYS_NOTHING: Final = frozenset({(500, "ServerTimeout"), (503, "ServiceUnavailable"), (504, "Timeout")})


def says_nothing(answer: Answered) -> bool:
    """Whether it is the answer of a server that cannot reach etcd, is not up to date, or stops."""
    return (answer.code, answer.reason) in _SAYS_NOTHING


class Recorder:
    """Runs requests and notes them in the history."""

    def __init__(self, history: History) -> None:
        self._history = history

    async def note(self, operation: Operation, request: Awaitable[None]) -> None:
        """Await a request that fills in the operation's results, and sort how it ended."""
        self._history.operations.append(operation)
        operation.invoked = time.monotonic()
        try:
            await request
            operation.outcome = Outcome.DONE
        except Lost as lost:
            operation.detail = str(lost)
        except Answered as answer:
            self._sort(operation, answer)
        except Unexpected as error:
            operation.detail = str(error)
            self._history.anomalies.append(f"{operation.name}: {error}")
        finally:
            operation.returned = time.monotonic()

    def _sort(self, operation: Operation, answer: Answered) -> None:
        operation.detail = str(answer)
        refusal = _REFUSALS.get((answer.code, answer.reason))
        if refusal is Refusal.MISSING and operation.verb is Verb.GET:
            operation.outcome = Outcome.DONE
        elif refusal is not None:
            operation.outcome, operation.refusal = Outcome.REFUSED, refusal
            operation.asked = operation.asked or operation.revision  # of a list whose later pages are gone
        elif not says_nothing(answer):
            self._history.anomalies.append(f"{operation.name}: {answer}")


async def read_pages(choose: Callable[[], Api], operation: Operation, query: ListQuery) -> None:
    """Read a whole list, each page from a connection of choice, into an operation."""
    found: dict[str, Version] = {}
    namespace = operation.key.rstrip("/")
    while True:
        page = await choose().page(namespace, query)
        if operation.revision not in (0, page.revision):
            raise Unexpected(f"a page of revision {page.revision} in a list of {operation.revision}")
        operation.revision = page.revision
        for stored in page.objects:
            if stored.key in found:
                raise Unexpected(f"{stored.key} is on two pages")
            found[stored.key] = Version(stored.tag, stored.revision)
        if query.limit and len(page.objects) > query.limit:
            raise Unexpected(f"a page of {len(page.objects)}, asked for {query.limit}")
        if not page.token:
            operation.snapshot = found
            return
        query = ListQuery("", "", query.label, query.limit, page.token)


class Tags:
    """Numbers the writes of a run."""

    def __init__(self) -> None:
        self._count = 0

    def next(self, client: str) -> str:
        """A tag that no other write has."""
        self._count += 1
        return f"{client}-{self._count}"


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

    async def run(self, stop: asyncio.Event) -> None:
        """One request after another until told to stop."""
        actions: tuple[tuple[Callable[[], Awaitable[Operation]], int], ...] = (
            (self.create, 22),
            (self.update, 16),
            (self.update_guarded, 16),
            (self.patch, 12),
            (self.delete, 10),
            (self.delete_guarded, 6),
            (self.get, 20),
            (self.list, 10),
        )
        calls, weights = zip(*actions, strict=True)
        while not stop.is_set():
            [action] = self.random.choices(calls, weights)
            operation = await action()
            is_lost = operation.outcome is Outcome.UNKNOWN
            if is_lost or self.random.random() < _CHANGE_SHARE:
                self._current += 1
            await asyncio.sleep(self.random.uniform(0, _PAUSE_SECONDS) + is_lost * _PAUSE_AFTER_LOSS_SECONDS)

    @property
    def api(self) -> Api:
        """The connection it uses at the moment."""
        return self.apis[self._current % len(self.apis)]

    async def create(self, key: str = "", label: str = "") -> Operation:
        """Create an object."""
        content = self._content(label)
        operation = self._operation(Verb.CREATE, key or self._key(), content)
        return await self._write(operation, self.api.create(operation.key, content))

    async def update(self) -> Operation:
        """Replace an object, whatever it is."""
        content = self._content()
        operation = self._operation(Verb.UPDATE, self._key(), content)
        return await self._write(operation, self.api.update(operation.key, content, 0))

    async def update_guarded(self) -> Operation:
        """Replace the object that was seen."""
        content = self._content()
        operation = self._operation(Verb.UPDATE, self._key(), content)
        operation.guard = self.known.get(operation.key, 0)
        return await self._write(operation, self.api.update(operation.key, content, operation.guard))

    async def patch(self) -> Operation:
        """Change the tag alone."""
        operation = self._operation(Verb.PATCH, self._key(), self._content())
        operation.label = None
        return await self._write(operation, self.api.patch(operation.key, operation.tag))

    async def delete(self) -> Operation:
        """Delete an object, whatever it is."""
        return await self._delete(guarded=False)

    async def delete_guarded(self) -> Operation:
        """Delete the object that was seen."""
        return await self._delete(guarded=True)

    async def get(self) -> Operation:
        """Read an object: linearizable, from the cache, or not older than what was seen."""
        operation = Operation(self.name, Verb.GET, self._key(), 0.0)
        version = self._choose_freshness(operation)

        async def ask() -> None:
            found = await self.api.get(operation.key, version)
            self._learn(operation, found)
            operation.observed = Version(found.tag, found.revision)

        await self.recorder.note(operation, ask())
        return operation

    async def list(self) -> Operation:
        """Read a namespace or all, selected or not, whole or in pages, which may come from several servers."""
        namespace = self.random.choice((*NAMESPACES, ""))
        operation = Operation(self.name, Verb.LIST, f"{namespace}/" if namespace else "", 0.0)
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
            self._learn(operation, found)

        await self.recorder.note(operation, ask())
        return operation

    async def _delete(self, *, guarded: bool) -> Operation:
        operation = Operation(self.name, Verb.DELETE, self._key(), 0.0)
        operation.guard = self.known.get(operation.key, 0) if guarded else 0

        async def ask() -> None:
            operation.revision = await self.api.delete(operation.key, operation.guard)

        await self.recorder.note(operation, ask())
        return operation

    def _operation(self, verb: Verb, key: str, content: Content) -> Operation:
        return Operation(self.name, verb, key, 0.0, tag=content.tag, label=content.label)

    def _content(self, label: str = "") -> Content:
        size = self.random.randrange(_LARGEST_PADDING)
        return Content(self.tags.next(self.name), label or self.random.choice(LABELS), size)

    def _key(self) -> str:
        return f"{self.random.choice(NAMESPACES)}/{self.random.choice(NAMES)}"

    def _learn(self, operation: Operation, found: Stored) -> None:
        self.known[operation.key] = found.revision

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
