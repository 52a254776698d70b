"""Rules that are only remembered: for nodes that are simulated, and for tests of all that is above a backend."""

from __future__ import annotations

from typing import Final

from kubewire.kube_proxy.backends.contracts import Programmed
from kubewire.kube_proxy.desired.difference import Difference
from kubewire.kube_proxy.desired.model import Frontend, Rule

NAME: Final = "memory"


class MemoryBackend:
    """Fills `Backend`.

    Attributes:
        rules: what is programmed; whoever changes it plays the foreign hand and calls `touch`.
        transactions: how often something was changed.
    """

    name: Final = NAME

    def __init__(self) -> None:
        self.rules: dict[Frontend, Rule] = {}
        self.transactions = 0
        self._is_touched = True

    def touch(self) -> None:
        """Tell that somebody else changed something."""
        self._is_touched = True

    async def read(self) -> Programmed:
        """See `Backend`."""
        self._is_touched = False
        return Programmed(dict(self.rules))

    async def apply(self, difference: Difference) -> None:
        """See `Backend`."""
        if difference:
            self.transactions += 1
        for frontend in difference.remove:
            self.rules.pop(frontend, None)
        self.rules.update((rule.frontend, rule) for rule in difference.put)

    async def was_touched(self) -> bool:
        """See `Backend`."""
        return self._is_touched

    async def clear(self) -> None:
        """See `Backend`."""
        self.rules.clear()

    def close(self) -> None:
        """See `Backend`."""
