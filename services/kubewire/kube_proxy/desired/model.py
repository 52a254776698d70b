"""What is programmed, in terms that hold for every backend: rules, each for one address, protocol and port.

A rule says where connections to its frontend go. What is desired and what is programmed are both collections of rules,
so that the difference between them is what remains to be done.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple


class Scope(Enum):
    """Whose connections a frontend is for."""

    ANY = "any"
    """Everybody's."""
    INSIDE = "inside"
    """Those of pods and of the node itself; they come before `ANY`. Only where it makes a difference."""


class Masquerade(Enum):
    """When connections are made to come from the node, so that answers come back through it."""

    NEVER = "never"
    OUTSIDE = "outside"
    """When they come from elsewhere than the cluster's pods."""
    ALWAYS = "always"


class Otherwise(Enum):
    """What happens to connections when there is no target."""

    REJECT = "reject"
    """They are told that nobody listens."""
    DROP = "drop"
    """They get no answer: another node has targets, and who balances over nodes shall try there."""


class Frontend(NamedTuple):
    """Where connections come in."""

    address: str
    """Empty: all addresses of the node, which makes the port a node port."""
    protocol: str
    port: int
    scope: Scope = Scope.ANY

    @property
    def is_node_port(self) -> bool:
        """Whether it is a port of the node's own addresses."""
        return not self.address

    def __str__(self) -> str:
        text = f"{self.protocol} {self.address or '*'}:{self.port}"
        return text if self.scope is Scope.ANY else f"{text} from inside"


class Target(NamedTuple):
    """Where connections go."""

    address: str
    port: int
    is_local: bool = False
    """Whether it is on this node, so that it may reach itself through the Service."""

    def __str__(self) -> str:
        return f"{self.address}:{self.port}"


class Rule(NamedTuple):
    """Where connections to a frontend go."""

    frontend: Frontend
    service: str
    """Whose it is: `namespace/name`, with `:port` for a named port."""
    targets: tuple[Target, ...] = ()
    """Sorted, without repeats; one is taken by chance for every connection."""
    otherwise: Otherwise = Otherwise.REJECT
    """Counts when there is no target; `REJECT` when there is."""
    masquerade: Masquerade = Masquerade.NEVER
    """`NEVER` when there is no target."""
    affinity_seconds: int = 0
    """How long a client comes back to the same target; 0: it need not."""
    is_cluster_ip: bool = False
    """Whether the address is the Service's alone, so that its other ports are refused."""


Rules = Mapping[Frontend, Rule]
