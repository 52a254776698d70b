"""One watch on a stream of its own.

etcd can carry many watches on one stream, but a stream that one slow watch has filled holds up the others; the API
server needs one for its cache and a few for catching up, so each has its own.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import grpc.aio

from kubewire.apiserver.etcd.assembler import RevisionAssembler
from kubewire.apiserver.etcd.errors import NoAnswer, RevisionCompacted, WatchCancelled, WatchLost
from kubewire.etcd import rpc_pb2 as pb

if TYPE_CHECKING:
    from kubewire.apiserver.etcd.http2.callables import StreamCall
    from kubewire.etcd.kv_pb2 import Event

    WatchCall = StreamCall[pb.WatchRequest, pb.WatchResponse]

CREATED_TIMEOUT_SECONDS = 5.0
"""How long a member may take to confirm a watch, if there is that much time."""


@dataclass(frozen=True, slots=True)
class WatchSpec:
    """What to watch: keys from `key` up to `range_end` (empty: that key alone), from `start_revision` on (0: now)."""

    key: bytes
    range_end: bytes = b""
    start_revision: int = 0
    previous: bool = False
    """Whether each change carries the entry before it; costs the member a read per change."""
    progress: bool = False
    """Whether the member reports its revision now and then while nothing changes."""

    def request(self) -> pb.WatchRequest:
        """As etcd wants it."""
        return pb.WatchRequest(
            create_request=pb.WatchCreateRequest(
                key=self.key,
                range_end=self.range_end,
                start_revision=self.start_revision,
                prev_kv=self.previous,
                progress_notify=self.progress,
                fragment=True,
            )
        )


class WatchAnswer(NamedTuple):
    """Whole revisions in order. `header_revision` may run ahead of them: only the last change's revision counts."""

    events: list[Event]
    header_revision: int


class EtcdWatch:
    """A running watch: iterate over it, and close it.

    Attributes:
        created_revision: the member's revision when it took the watch on. A watch that starts after it is served at
            once; one that starts before waits for etcd's next round over such watches, every 100 ms.
    """

    def __init__(self, call: WatchCall) -> None:
        self.created_revision = 0
        self._call = call
        self._assembler = RevisionAssembler()

    @classmethod
    async def open(
        cls, call: WatchCall, spec: WatchSpec, timeout_seconds: float = CREATED_TIMEOUT_SECONDS
    ) -> EtcdWatch:
        """Create the watch on a fresh stream and wait until the member confirms it.

        Raises:
            RevisionCompacted: `start_revision` is gone.
            NoAnswer: the member did not confirm in time.
            grpc.aio.AioRpcError: the stream could not be opened.
        """
        watch = cls(call)
        try:
            async with asyncio.timeout(timeout_seconds):
                await call.write(spec.request())
                created = await watch._read()
                _check(created)
                watch.created_revision = created.header.revision
        except TimeoutError:
            call.cancel()
            raise NoAnswer("etcd did not confirm a watch in time") from None
        except BaseException:
            call.cancel()
            raise
        return watch

    def __aiter__(self) -> EtcdWatch:
        return self

    async def __anext__(self) -> WatchAnswer:
        """The next answer; its list is empty when it only tells a revision.

        Raises:
            RevisionCompacted, WatchCancelled: etcd ended the watch.
            WatchLost: the stream broke.
        """
        try:
            while True:
                answer = await self._read()
                _check(answer)
                whole = self._assembler.add(answer.events, is_fragment=answer.fragment)
                if whole or not answer.fragment:
                    return WatchAnswer(whole, answer.header.revision)
        except grpc.aio.AioRpcError as error:
            raise WatchLost(f"etcd watch ended: {error.code().name}: {error.details()}") from None

    async def close(self) -> None:
        """End the watch; doing it twice is harmless."""
        self._call.cancel()

    async def _read(self) -> pb.WatchResponse:
        answer = await self._call.read()
        if answer is None:
            raise WatchLost("etcd ended the stream of a watch")
        return answer


def _check(answer: pb.WatchResponse) -> None:
    if not answer.canceled:
        return
    if answer.compact_revision:
        raise RevisionCompacted(f"etcd compacted revisions before {answer.compact_revision}", answer.compact_revision)
    if "no leader" in answer.cancel_reason:
        raise WatchLost(f"etcd ended a watch: {answer.cancel_reason}")
    raise WatchCancelled(f"etcd ended a watch: {answer.cancel_reason or 'no reason given'}")
