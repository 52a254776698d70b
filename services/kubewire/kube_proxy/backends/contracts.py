"""What a way of programming rules has to offer. nf_tables and memory do; IPVS and iptables fit the same contract.

A backend changes nothing that is not its own. All of a difference is programmed at once: connections find the rules
from before or those from after, never some of both.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from kubewire.kube_proxy.desired.difference import Difference
from kubewire.kube_proxy.desired.model import Frontend, Rule


@dataclass(frozen=True, slots=True)
class Programmed:
    """What was found.

    Attributes:
        rules: those that work as they should.
        damage: what is not as it should be beside the rules, in words. The next `apply` repairs it.
    """

    rules: dict[Frontend, Rule] = field(default_factory=dict)
    damage: tuple[str, ...] = ()


class Backend(Protocol):
    """Programs rules. Calls do not overlap."""

    @property
    def name(self) -> str:
        """As the configuration and `/proxyMode` have it."""
        ...

    async def read(self) -> Programmed:
        """What is programmed, as the kernel has it. What `apply` changes later is not in it.

        Raises:
            BackendFailed: it cannot be read.
        """
        ...

    async def apply(self, difference: Difference) -> None:
        """Program a difference to what was read or applied last, and repair what was found damaged then.

        `read` comes first, and again after a failure and after `clear`.

        Raises:
            BackendFailed: nothing was changed; what is programmed may not be what it was thought to be: read it.
        """
        ...

    async def was_touched(self) -> bool:
        """Whether anybody else may have changed something since the last `read` or `apply`; cheap. True before those.

        Raises:
            BackendFailed: it cannot be told.
        """
        ...

    async def clear(self) -> None:
        """Remove all that is ours, whoever programmed it.

        Raises:
            BackendFailed: it cannot be removed.
        """
        ...

    def close(self) -> None:
        """Give back what is held; rules stay."""
        ...
