"""What a simulated server sees of a call besides its request."""

from __future__ import annotations

from dataclasses import dataclass, field

from kubewire.client.testing.link import Link


@dataclass(slots=True)
class SimulatedCall:
    """A call while it is served."""

    link: Link
    user_agent: str = ""
    cause: str = ""
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call the server was asked, whatever became of it."""

    path: str
    user_agent: str
    cause: str
