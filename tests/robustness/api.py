"""What the clients of a run need of the API, whichever face serves it: one Protocol, and the objects of the run.

Errors are sorted once, here: a server's own words (`Answered`) against no answer at all (`Lost`).
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from kubewire.api.core.v1.config_map_pb2 import ConfigMap

LABEL: Final = "color"
INITIAL_END: Final = "k8s.io/initial-events-end"


class Answered(Exception):
    """The server said no. `code` and `reason` as in `meta.v1.Status`."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(f"{code} {reason}: {message}")
        self.code = code
        self.reason = reason


class Lost(Exception):
    """No answer, or not all of it: the connection broke, or the deadline passed."""


class Unexpected(Exception):
    """An answer that no fault explains: unreadable, or inconsistent in itself."""


class Access(NamedTuple):
    """How to reach one server. `trust`: of its certificate."""

    server: str
    rest: str
    grpc: str
    token: str
    trust: ssl.SSLContext


class Content(NamedTuple):
    """What a write writes. `size`: bytes of padding, so that buffers fill."""

    tag: str
    label: str
    size: int = 0


@dataclass(frozen=True, slots=True)
class Stored:
    """An object as it was shown."""

    key: str
    tag: str
    revision: int
    base: str
    label: str


class ListQuery(NamedTuple):
    """What a list asks for; empty texts are left out."""

    version: str = ""
    match: str = ""
    label: str | None = None
    limit: int = 0
    token: str = ""

    @property
    def selector(self) -> str:
        """As the API writes it."""
        return "" if self.label is None else f"{LABEL}={self.label}"


class ListedPage(NamedTuple):
    """A page of a list."""

    objects: list[Stored]
    revision: int
    token: str


class WatchQuery(NamedTuple):
    """What a watch asks for. `initial`: sendInitialEvents; None leaves it out."""

    version: str = ""
    initial: bool | None = None
    label: str | None = None
    bookmarks: bool = True
    seconds: int = 0

    @property
    def selector(self) -> str:
        """As the API writes it."""
        return "" if self.label is None else f"{LABEL}={self.label}"

    @property
    def match(self) -> str:
        """The match that initial events must come with."""
        return "" if self.initial is None else "NotOlderThan"


class WatchEvent(NamedTuple):
    """One event. Bookmarks have no object, and say whether they end the initial state."""

    type: str
    revision: int
    object: Stored | None
    is_initial_end: bool = False


Stream = AsyncIterator[list[WatchEvent]]
"""Events as they arrived together. The server sends whole revisions together, so a client may stop between lists."""


class Api(Protocol):
    """One client's connection to one server. Every method raises Answered, Lost or Unexpected, and nothing else.

    Attributes:
        name: of face, encoding and server, for messages.
    """

    name: str

    async def create(self, key: str, content: Content) -> Stored:
        """Create an object."""
        ...

    async def update(self, key: str, content: Content, guard: int) -> Stored:
        """Replace an object; guarded by a revision unless that is 0."""
        ...

    async def patch(self, key: str, tag: str) -> Stored:
        """Change the tag of an object and nothing else."""
        ...

    async def delete(self, key: str, guard: int) -> int:
        """Delete an object, on condition of its revision unless that is 0. The deletion's revision, 0 if not told."""
        ...

    async def get(self, key: str, version: str) -> Stored:
        """Read an object."""
        ...

    async def page(self, namespace: str, query: ListQuery) -> ListedPage:
        """Read a page of a list."""
        ...

    def watch(self, namespace: str, query: WatchQuery) -> AbstractAsyncContextManager[Stream]:
        """Watch; entered when the server has said that the watch is open."""
        ...

    async def close(self) -> None:
        """End it."""
        ...


def namespace_and_name(key: str) -> tuple[str, str]:
    """The two parts of a key."""
    namespace, _, name = key.partition("/")
    return namespace, name


def config_map(key: str, content: Content, guard: int = 0) -> ConfigMap:
    """The object that a create or an update writes."""
    namespace, name = namespace_and_name(key)
    message = ConfigMap()
    message.metadata.namespace, message.metadata.name = namespace, name
    message.metadata.labels[LABEL] = content.label
    if guard:
        message.metadata.resourceVersion = str(guard)
    message.data["tag"] = message.data["base"] = content.tag
    if content.size:
        message.data["padding"] = "x" * content.size
    return message


def stored_of(message: ConfigMap) -> Stored:
    """What an object shows of the write that made it.

    Raises:
        Unexpected: it is not one that this run has written.
    """
    meta = message.metadata
    if not message.data.get("tag") or not meta.resourceVersion.isdecimal():
        raise Unexpected(f"an object without tag or version: {meta.namespace}/{meta.name} {meta.resourceVersion!r}")
    return Stored(
        f"{meta.namespace}/{meta.name}",
        message.data["tag"],
        int(meta.resourceVersion),
        message.data["base"],
        meta.labels[LABEL],
    )


def event_of(type_: str, message: ConfigMap) -> WatchEvent:
    """An event from its object.

    Raises:
        Unexpected: the object cannot be one of an event.
    """
    if type_ == "BOOKMARK":
        is_end = message.metadata.annotations.get(INITIAL_END) == "true"
        return WatchEvent(type_, int(message.metadata.resourceVersion), None, is_end)
    if type_ not in ("ADDED", "MODIFIED", "DELETED"):
        raise Unexpected(f"an event of type {type_!r}")
    found = stored_of(message)
    return WatchEvent(type_, found.revision, found)
