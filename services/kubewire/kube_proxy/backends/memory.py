"""Rules that are only remembered: for nodes that are simulated, and for tests of all that is above a backend."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from kubewire.kube_proxy.backends.contracts import Programmed
from kubewire.kube_proxy.desired.difference import Difference
from kubewire.kube_proxy.desired.model import Frontend, Rule
from kubewire.kube_proxy.errors import BackendFailed

NAME: Final = "memory"


@dataclass(slots=True)
class MemoryTable:
    """What a kernel would hold; several backends may share one.

    Attributes:
        rules: what is programmed.
        version: grows with every change.
        failure: refuses every call, in these words, while it is set.
    """

    rules: dict[Frontend, Rule] = field(default_factory=dict)
    version: int = 0
    failure: str = ""


class MemoryBackend:
    """Fills `Backend`."""

    name: Final = NAME

    def __init__(self, table: MemoryTable | None = None) -> None:
        self.table: Final = table if table is not None else MemoryTable()
        self._version: int | None = None

    async def read(self) -> Programmed:
        """See `Backend`."""
        self._check()
        self._version = self.table.version
        return Programmed(dict(self.table.rules))

    async def apply(self, difference: Difference) -> None:
        """See `Backend`."""
        self._check()
        if self._version is None:
            raise BackendFailed("memory: read what is programmed before changing it")
        if not difference:
            return
        for frontend in difference.remove:
            self.table.rules.pop(frontend, None)
        self.table.rules.update((rule.frontend, rule) for rule in difference.put)
        self.table.version += 1
        self._version += 1

    async def was_touched(self) -> bool:
        """See `Backend`."""
        self._check()
        return self.table.version != self._version

    async def clear(self) -> None:
        """See `Backend`."""
        self._check()
        self.table.rules.clear()
        self.table.version += 1
        self._version = None

    def close(self) -> None:
        """See `Backend`."""

    def _check(self) -> None:
        if self.table.failure:
            self._version = None
            raise BackendFailed(self.table.failure)
