"""The watchers of a run: they watch on from their last version after every break, and start anew where history is gone.

They differ in face, selection, beginning and pace: some read slowly, some not at all for a while, so that the server
drops them, some leave by themselves.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from random import Random
from typing import Final

from tests.robustness.api import Answered, Api, ListQuery, Lost, Stream, Unexpected, WatchEvent, WatchQuery
from tests.robustness.clients import LABELS, NAMESPACES
from tests.robustness.history import Freshness, Gone, History, Operation, Outcome, Seen, Session, Verb, Version
from tests.robustness.recorder import Recorder, read_pages, says_nothing

_PAUSE_SECONDS: Final = 0.05
_SLOW_SECONDS: Final = 0.06
_STUCK_SECONDS: Final = (0.4, 1.2)
_STUCK_SHARE: Final = 0.1
_RESTLESS_SHARE: Final = 0.05
_GONE: Final = 410


class Beginning(Enum):
    """What a watch begins with."""

    NOW = "now"
    VERSION = "version"  # of a list whose objects are not looked at
    LIST = "list"  # a list, then the watch
    INITIAL = "initial"  # the watch itself sends the state first


class Pace(Enum):
    """How a watcher reads."""

    FAST = "fast"
    SLOW = "slow"
    STUCK = "stuck"  # not at all for a while, now and then


@dataclass(frozen=True, slots=True)
class Habit:
    """How a watcher watches. `seconds`: the server is to end each watch after this; 0: not."""

    namespace: str
    label: str | None
    beginning: Beginning
    pace: Pace
    bookmarks: bool
    seconds: int
    is_restless: bool

    @classmethod
    def choose(cls, random: Random, beginning: Beginning, pace: Pace) -> Habit:
        """Everything else by chance."""
        return cls(
            random.choice((*NAMESPACES, "", "")),
            random.choice((None, None, *LABELS)),
            beginning,
            pace,
            beginning is Beginning.INITIAL or random.random() < 0.6,
            random.choice((0, 0, 0, 1, 2)),
            random.random() < 0.3,
        )

    @property
    def prefix(self) -> str:
        """Of the keys it watches."""
        return f"{self.namespace}/" if self.namespace else ""


@dataclass
class WatcherCounts:
    """What a run's watchers met."""

    events: int = 0
    bookmarks: int = 0
    resumptions: int = 0
    relists: int = 0
    dropped: int = 0


class _Initial:
    """An initial state while it arrives, as the list it amounts to."""

    def __init__(self, operation: Operation) -> None:
        self.operation = operation
        self._found: dict[str, Version] = {}

    def take(self, event: WatchEvent) -> bool:
        """Take an event over; whether it was the last one."""
        if event.is_initial_end:
            self.operation.revision, self.operation.snapshot = event.revision, self._found
            self.operation.outcome, self.operation.returned = Outcome.DONE, time.monotonic()
        elif event.object is not None and event.type == "DELETED":
            self._found.pop(event.object.key, None)
        elif event.object is not None:
            self._found[event.object.key] = Version(event.object.tag, event.revision)
        return event.is_initial_end


@dataclass
class Watcher:
    """One watcher with connections to one or more servers.

    Attributes:
        version: the last one seen, after which it watches on; 0: none, it begins.
    """

    name: str
    apis: Sequence[Api]
    habit: Habit
    history: History
    random: Random
    counts: WatcherCounts
    version: int = 0
    session: Session | None = None
    is_finishing: bool = False
    _is_gone: bool = field(default=False, init=False)

    async def run(self) -> None:
        """Watch until it is through, or cancelled."""
        while not self.is_through:
            api = self.random.choice(self.apis)
            try:
                await (self._resume(api) if self.version else self._begin(api))
            except Lost:
                await asyncio.sleep(_PAUSE_SECONDS)
            except Answered as answer:
                self._note(answer)
                await asyncio.sleep(_PAUSE_SECONDS)
            except Unexpected as error:
                self.history.anomalies.append(f"{self.name} from {api.name}: {error}")
            if not self.is_through:
                await asyncio.sleep(self.random.uniform(0, _PAUSE_SECONDS))

    def finish(self, until: int, written: float) -> None:
        """Come to the end: everything up to a revision, which was written at a moment, is still to be seen."""
        self.is_finishing = True
        session = self.session
        if session is not None and (session.start is not None or session.opened < written):
            session.until = until
        else:
            self.session = None

    @property
    def is_through(self) -> bool:
        """Whether it has seen all it was told to see, and can be ended."""
        if not self.is_finishing:
            return False
        return self.session is None or self.version >= self.session.until

    def _note(self, answer: Answered) -> None:
        if answer.code == _GONE and self.session is not None and self.version:
            self.session.gone.append(Gone(self.version, time.monotonic()))
            self.version, self._is_gone = 0, True
            self.counts.relists += 1
        elif says_nothing(answer):
            self.counts.dropped += "too slow" in str(answer)
        else:
            self.history.anomalies.append(f"{self.name} at {self.version}: {answer}")

    async def _begin(self, api: Api) -> None:
        beginning = self.habit.beginning
        if self._is_gone and beginning in (Beginning.NOW, Beginning.VERSION):
            beginning = Beginning.LIST  # what it has seen obliges
        match beginning:
            case Beginning.NOW:
                await self._begin_now(api)
            case Beginning.INITIAL:
                await self._begin_with_initial(api)
            case _:
                await self._begin_with_list(api, relists=beginning is Beginning.LIST)

    async def _begin_now(self, api: Api) -> None:
        if self.is_finishing:
            self.session = None
            return
        invoked = time.monotonic()
        async with api.watch(self.habit.namespace, self._query("", initial=False)) as stream:
            session = Session(self.name, self.habit.prefix, None, self.habit.label, invoked, time.monotonic())
            self._start(session)
            try:
                await self._follow(stream)
            except (Lost, Answered):
                self._forget_if_silent(session)
                raise
            self._forget_if_silent(session)

    async def _begin_with_list(self, api: Api, *, relists: bool) -> None:
        operation = Operation(self.name, Verb.LIST, self.habit.prefix, 0.0, label=self.habit.label)
        query = ListQuery(label=self.habit.label, limit=self.random.choice((0, 4)))
        await Recorder(self.history).note(operation, read_pages(lambda: api, operation, query))
        if operation.outcome is not Outcome.DONE:
            raise Lost(operation.detail)
        self._relist(operation.revision, relists=relists)

    async def _begin_with_initial(self, api: Api) -> None:
        operation = Operation(self.name, Verb.LIST, self.habit.prefix, time.monotonic(), label=self.habit.label)
        operation.freshness = self.random.choice((Freshness.LATEST, Freshness.ANY))
        self.history.operations.append(operation)
        version = "0" if operation.freshness is Freshness.ANY else ""
        try:
            async with api.watch(self.habit.namespace, self._query(version, initial=True)) as stream:
                await self._follow(stream, _Initial(operation))
        finally:
            operation.returned = operation.returned or time.monotonic()

    def _relist(self, revision: int, *, relists: bool = True) -> None:
        if self.session is None:
            self._start(Session(self.name, self.habit.prefix, 0 if relists else revision, self.habit.label))
        assert self.session is not None
        if relists:
            self.session.seen.append(Seen("RELISTED", revision, at=time.monotonic()))
        self.version, self._is_gone = revision, False

    def _forget_if_silent(self, session: Session) -> None:
        """A watch from its own moment that broke before it showed anything cannot be taken up again."""
        if not session.seen:
            self.history.sessions.remove(session)
            self.session = None

    def _start(self, session: Session) -> None:
        self.session = session
        self.history.sessions.append(session)

    async def _resume(self, api: Api) -> None:
        self.counts.resumptions += 1
        async with api.watch(self.habit.namespace, self._query(str(self.version), initial=None)) as stream:
            await self._follow(stream)

    def _query(self, version: str, *, initial: bool | None) -> WatchQuery:
        seconds = 0 if self.is_finishing else self.habit.seconds
        return WatchQuery(version, initial, self.habit.label, self.habit.bookmarks, seconds)

    async def _follow(self, stream: Stream, initial: _Initial | None = None) -> None:
        async for events in stream:
            for event in events:
                if initial is None:
                    self._take(event)
                elif initial.take(event):
                    self._relist(event.revision)
                    initial = None
            if self.is_through or await self._dawdle():
                return

    def _take(self, event: WatchEvent) -> None:
        assert self.session is not None
        found = event.object
        key, tag = (found.key, found.tag) if found is not None else ("", "")
        self.session.seen.append(Seen(event.type, event.revision, key, tag, time.monotonic()))
        self.version = event.revision
        self.counts.bookmarks += found is None
        self.counts.events += found is not None

    async def _dawdle(self) -> bool:
        """Take time as is its habit; whether it leaves."""
        if self.is_finishing:
            return False
        if self.habit.pace is Pace.SLOW:
            await asyncio.sleep(self.random.uniform(0, _SLOW_SECONDS))
        elif self.habit.pace is Pace.STUCK and self.random.random() < _STUCK_SHARE:
            await asyncio.sleep(self.random.uniform(*_STUCK_SECONDS))
        return self.habit.is_restless and self.random.random() < _RESTLESS_SHARE
