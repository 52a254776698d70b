"""Which connections go where no rule would send them any more. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from kubewire.kube_proxy.desired.model import Frontend, Rules, Scope
from kubewire.kube_proxy.netlink.conntrack import Flow

UDP: Final = "UDP"

Place = tuple[str, int]


def udp_frontends(frontends: Iterable[Frontend]) -> frozenset[Place]:
    """Addresses and ports of those whose connections have no end."""
    return frozenset((one.address, one.port) for one in frontends if one.protocol == UDP)


def stale(flows: Iterable[Flow], places: frozenset[Place], rules: Rules) -> Iterator[Flow]:
    """Flows to `places` that are answered by none of what rules send them to.

    A flow to a node port counts only if it was redirected: the same port of another machine is nobody's business.
    """
    targets = {place: _targets(place, rules) for place in places}
    for flow in flows:
        place = flow.destination
        if place not in targets:
            place = ("", flow.destination[1])
            if place not in targets or not flow.is_redirected:
                continue
        if flow.answered_by not in targets[place]:
            yield flow


def _targets(place: Place, rules: Rules) -> set[Place]:
    found = (rules.get(Frontend(place[0], UDP, place[1], scope)) for scope in Scope)
    return {target[:2] for rule in found if rule is not None for target in rule.targets}
