"""How etcd is: whether it answers, waited for when the server starts and told to readiness from then on; its size."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from kubewire.apiserver.errors import StoreNotReached
from kubewire.apiserver.etcd.errors import EtcdError
from kubewire.apiserver.storage.errors import StorageError
from kubewire.component.log import Logger

if TYPE_CHECKING:
    from kubewire.apiserver.etcd.client import EtcdClient
    from kubewire.apiserver.metrics import StoreMetrics
    from kubewire.apiserver.storage.store import Store

_LOG: Final = Logger("apiserver.store")
_ASK_SECONDS: Final = 2.0
_INTERVAL_SECONDS: Final = 2.0
_SIZE_INTERVAL_SECONDS: Final = 30.0
_PAUSE_FIRST_SECONDS: Final = 0.02
_PAUSE_MAX_SECONDS: Final = 1.0
_FAILURES: Final = 2
"""One answer that does not come is no outage: an election takes about as long."""


class StoreProbe:
    """Asks the store now and then."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._failures = 0
        self._problem = ""

    def problem(self) -> str:
        """What is wrong with the store; empty when it answers."""
        return self._problem if self._failures >= _FAILURES else ""

    async def wait(self, seconds: float, where: str) -> None:
        """Wait until the store answers.

        Raises:
            StoreNotReached: it did not within `seconds`.
        """
        loop = asyncio.get_running_loop()
        deadline, pause = loop.time() + seconds, _PAUSE_FIRST_SECONDS
        while True:
            error = await self._ask()
            if error is None:
                return
            if loop.time() + pause > deadline:
                raise StoreNotReached(f"etcd at {where} did not answer within {seconds:g} s: {error}")
            if pause >= _PAUSE_MAX_SECONDS:
                _LOG.warning("waiting for etcd", where=where, why=error)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _PAUSE_MAX_SECONDS)

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            await asyncio.sleep(_INTERVAL_SECONDS)
            error = await self._ask()
            before = self.problem()
            self._failures = self._failures + 1 if error else 0
            self._problem = str(error) if error else ""
            if self.problem() and not before:
                _LOG.error("etcd does not answer", why=self._problem)
            elif before and not self.problem():
                _LOG.info("etcd answers again")

    async def _ask(self) -> StorageError | None:
        try:
            await self._store.revision(timeout_seconds=_ASK_SECONDS)
        except StorageError as error:
            return error
        return None


async def watch_size(client: EtcdClient, metrics: StoreMetrics) -> None:
    """Keep the metric of the store's size up until cancelled. What etcd does not tell stays as it was."""
    while True:
        try:
            status = await client.status(timeout_seconds=_ASK_SECONDS)
        except EtcdError as error:
            _LOG.debug("etcd did not tell its size", why=error)
        else:
            metrics.size.labels(f"{status.header.cluster_id:x}").set(status.dbSize)
        await asyncio.sleep(_SIZE_INTERVAL_SECONDS)
