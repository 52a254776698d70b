"""What forgets connections that go where they should no more."""

from __future__ import annotations

from typing import Protocol

from kubewire.kube_proxy.desired.model import Rules
from kubewire.kube_proxy.flows.stale import Place


class Flows(Protocol):
    """The connections the kernel knows."""

    async def forget_stale(self, places: frozenset[Place], rules: Rules) -> int:
        """Forget UDP connections to `places` that rules would not send where they go; returns how many.

        Raises:
            BackendFailed: they cannot be read or forgotten.
        """
        ...

    def close(self) -> None:
        """Give back what is held."""
        ...


class NoFlows:
    """Fills `Flows` where no packets are sent."""

    async def forget_stale(self, places: frozenset[Place], rules: Rules) -> int:  # noqa: ARG002 - the contract's
        """See `Flows`."""
        return 0

    def close(self) -> None:
        """See `Flows`."""
