"""The truth: what etcd itself says has happened, from the run's beginning on, whatever befalls it meanwhile.

It is read as it happens, so compaction must not overtake it: `seen` says how far history may be forgotten.
"""

from __future__ import annotations

import asyncio
import json
import time
from typing import Final

from kubewire.apiserver.cache.compactor import COMPACTION_KEY
from tests.robustness.api import LABEL, Lost, Unexpected
from tests.robustness.clients import NAMESPACES
from tests.robustness.etcd_peer import PREFIX, REGISTRY, Change, EtcdPeer, stored_object
from tests.robustness.history import Compaction, History, Truth

_PAUSE_SECONDS: Final = 0.02


class Reference:
    """Follows etcd and writes what happens to the run's objects into the history.

    Attributes:
        seen: every change up to this revision has been taken over.
    """

    def __init__(self, peer: EtcdPeer, history: History) -> None:
        self.seen = 0
        self._peer = peer
        self._history = history
        self._moved = asyncio.Event()

    async def begin(self) -> None:
        """Begin at this moment: nothing of the run has happened yet."""
        self.seen = await self._peer.revision()

    async def run(self) -> None:
        """Follow until cancelled. Raises Unexpected when history is gone that was not seen: the run proves nothing."""
        while True:
            try:
                async for changes in self._peer.watch(REGISTRY, self.seen):
                    for change in changes:
                        self._take(change)
                    if changes:
                        self.seen = changes[-1].revision
                        self._moved.set()
            except Lost:
                await asyncio.sleep(_PAUSE_SECONDS)

    async def wait_for(self, revision: int) -> None:
        """Wait until everything up to a revision was seen."""
        while self.seen < revision:
            self._moved.clear()
            await self._moved.wait()

    async def verify(self) -> None:
        """Compare what was seen with what etcd has now that nothing moves.

        Raises:
            Unexpected: they differ, so the truth is not the truth.
        """
        state = {
            key.removeprefix(PREFIX).decode(): revision for key, revision in (await self._peer.state(PREFIX)).items()
        }
        last = {change.key: change for change in self._history.truth}
        seen = {key: change.revision for key, change in last.items() if change.tag is not None}
        stored = {key: revision for key, revision in state.items() if key.partition("/")[0] in NAMESPACES}
        if seen != stored:
            raise Unexpected(f"the watched truth {seen} is not what etcd holds: {stored}")

    def _take(self, change: Change) -> None:
        if change.key == COMPACTION_KEY and change.value is not None:
            # The server's own compactor: what it records now it compacts to an interval later.
            self._history.compactions.append(Compaction(json.loads(change.value)["revision"], time.monotonic()))
        key = change.key.removeprefix(PREFIX).decode()
        if not change.key.startswith(PREFIX) or key.partition("/")[0] not in NAMESPACES:
            return
        if change.value is None:
            self._history.truth.append(Truth(change.revision, key, None))
            return
        message = stored_object(change.value)
        label = message.metadata.labels[LABEL]
        self._history.truth.append(Truth(change.revision, key, message.data["tag"], message.data["base"], label))
