"""Priority and fairness of requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubewire.api.flowcontrol.v1.flow_schema_pb2 import FlowSchema
    from kubewire.api.flowcontrol.v1.priority_level_configuration_pb2 import (
        LimitedPriorityLevelConfiguration,
        PriorityLevelConfiguration,
        QueuingConfiguration,
    )


def default_flow_schema(schema: FlowSchema) -> None:
    """A schema matches at a middling precedence unless it says otherwise."""
    if not schema.spec.matchingPrecedence:
        schema.spec.matchingPrecedence = 1000


def default_priority_level(level: PriorityLevelConfiguration) -> None:
    """Fill the shares of a level, and its queues if it has them."""
    spec = level.spec
    if spec.HasField("exempt"):
        if not spec.exempt.HasField("nominalConcurrencyShares"):
            spec.exempt.nominalConcurrencyShares = 0
        if not spec.exempt.HasField("lendablePercent"):
            spec.exempt.lendablePercent = 0
    if spec.HasField("limited"):
        _default_limited(spec.limited)


def _default_limited(limited: LimitedPriorityLevelConfiguration) -> None:
    if not limited.HasField("nominalConcurrencyShares"):
        limited.nominalConcurrencyShares = 30
    if not limited.HasField("lendablePercent"):
        limited.lendablePercent = 0
    if limited.limitResponse.HasField("queuing"):
        _default_queuing(limited.limitResponse.queuing)


def _default_queuing(queuing: QueuingConfiguration) -> None:
    if not queuing.handSize:
        queuing.handSize = 8
    if not queuing.queues:
        queuing.queues = 64
    if not queuing.queueLengthLimit:
        queuing.queueLengthLimit = 50
