"""Noting requests in the history, and how each ended: done, refused, or unknown.

Only a definite error counts as a refusal. Broken connections, deadlines that passed, and a server that cannot reach
etcd leave open what became of a write.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Final

from tests.robustness.api import Answered, Api, ListQuery, Lost, Unexpected
from tests.robustness.history import History, Operation, Outcome, Refusal, Verb, Version

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
