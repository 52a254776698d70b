"""Rules as elements of maps, and elements as rules again. Pure."""

from __future__ import annotations

import hashlib
import socket
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from kubewire.kube_proxy.backends.nftables.layout import (
    CLUSTER_IPS,
    ENDPOINTS,
    HAIRPINS,
    NO_ENDPOINTS,
    NO_ENDPOINTS_NODE_PORTS,
    NODE_PORTS,
    REFUSE_CHAIN,
    SERVICES,
    Choice,
    choice_of,
)
from kubewire.kube_proxy.desired.model import Frontend, Otherwise, Rule, Scope, Target
from kubewire.kube_proxy.netlink.expressions import native
from kubewire.kube_proxy.netlink.tables import DROP, GOTO, Element, Verdict

PROTOCOLS: Final[Mapping[str, int]] = {"TCP": 6, "UDP": 17, "SCTP": 132}
_NAMES: Final = {number: name for name, number in PROTOCOLS.items()}
_PORT: Final = struct.Struct(">B3xH2x")
_TARGET: Final = struct.Struct(">4sH2x")
_NO_ADDRESS: Final = bytes(4)

SHARED: Final = frozenset((CLUSTER_IPS, HAIRPINS))
"""Sets whose elements may be of several rules."""

Elements = dict[tuple[str, bytes], Element]
"""By set and key."""

Verdicts: Final = {Otherwise.REJECT: Verdict(GOTO, REFUSE_CHAIN), Otherwise.DROP: Verdict(DROP)}
_OTHERWISE: Final = {verdict: otherwise for otherwise, verdict in Verdicts.items()}


class Placed(NamedTuple):
    """A rule, and the numbers its targets have: their places in `order`."""

    rule: Rule
    order: tuple[Target, ...]


def choice_for(placed: Placed) -> Choice | None:
    """The choice a rule needs; None if there is nothing to choose from."""
    rule, order = placed
    if not rule.targets:
        return None
    frontend, digest = rule.frontend, ""
    if rule.affinity_seconds:
        digest = hashlib.sha256(f"{frontend} {[str(one) for one in order]}".encode()).hexdigest()[:12]
    is_node_port, masquerade = frontend.is_node_port, rule.masquerade
    return Choice(is_node_port, frontend.scope, masquerade, len(order), rule.affinity_seconds, digest)


def packed(target: Target) -> bytes:
    """Address and port as maps and registers have them."""
    return _TARGET.pack(socket.inet_aton(target.address), target.port)


def place(rule: Rule, before: Sequence[Target]) -> Placed:
    """Number the targets so that as many as possible keep the number they had."""
    wanted = {target[:2]: target for target in rule.targets}
    order: list[Target | None] = [wanted.pop(old[:2], None) for old in before[: len(rule.targets)]]
    order += [None] * (len(rule.targets) - len(order))
    rest = iter(wanted.values())
    return Placed(rule, tuple(one if one is not None else next(rest) for one in order))


def elements_of(placed: Placed) -> Elements:
    """What stands for a rule in the maps."""
    return {(name, element.key): element for name, element in _elements(placed)}


def _elements(placed: Placed) -> Iterator[tuple[str, Element]]:
    rule, order = placed
    frontend = rule.frontend
    port = _PORT.pack(PROTOCOLS[frontend.protocol], frontend.port)
    address = socket.inet_aton(frontend.address) if frontend.address else _NO_ADDRESS
    key = address + port
    choice = choice_for(placed)
    if rule.is_cluster_ip:
        yield CLUSTER_IPS, Element(address)
    if choice is None:
        name = NO_ENDPOINTS_NODE_PORTS if frontend.is_node_port else NO_ENDPOINTS
        yield name, Element(port if frontend.is_node_port else key, Verdicts[rule.otherwise], rule.service)
        return
    name = (NODE_PORTS if frontend.is_node_port else SERVICES)[frontend.scope]
    yield name, Element(port if frontend.is_node_port else key, Verdict(GOTO, choice.chain), rule.service)
    endpoints = ENDPOINTS[frontend.scope]
    for number, target in enumerate(order):
        yield endpoints, Element(key + native(number), packed(target))
        if target.is_local:
            where = socket.inet_aton(target.address)
            yield HAIRPINS, Element(where + where)


def rules_of(elements: Elements) -> dict[Frontend, Placed]:
    """The rules that elements stand for; what makes no whole rule is left out."""
    found: dict[Frontend, Placed] = {}
    for (name, key), element in elements.items():
        placed = _rule(elements, name, key, element)
        if placed is not None:
            found[placed.rule.frontend] = placed
    return found


_PLACES: Final[Mapping[str, tuple[bool, Scope]]] = {
    **{name: (False, scope) for scope, name in SERVICES.items()},
    **{name: (True, scope) for scope, name in NODE_PORTS.items()},
    NO_ENDPOINTS: (False, Scope.ANY),
    NO_ENDPOINTS_NODE_PORTS: (True, Scope.ANY),
}
"""What a verdict map is for: node ports or not, and whose connections."""


def _rule(elements: Elements, name: str, key: bytes, element: Element) -> Placed | None:
    if name not in _PLACES or not isinstance(element.value, Verdict):
        return None
    is_node_port, scope = _PLACES[name]
    if is_node_port:
        key = _NO_ADDRESS + key
    protocol, port = _PORT.unpack(key[4:])
    if protocol not in _NAMES:
        return None
    address = "" if is_node_port else socket.inet_ntoa(key[:4])
    frontend = Frontend(address, _NAMES[protocol], port, scope)
    is_cluster_ip = not is_node_port and (CLUSTER_IPS, key[:4]) in elements
    rule = Rule(frontend, element.comment, is_cluster_ip=is_cluster_ip)
    if name in {NO_ENDPOINTS, NO_ENDPOINTS_NODE_PORTS}:
        otherwise = _OTHERWISE.get(element.value)
        return None if otherwise is None else Placed(rule._replace(otherwise=otherwise), ())
    choice = choice_of(element.value.chain)
    if element.value.code != GOTO or choice is None or (choice.is_node_port, choice.scope) != (is_node_port, scope):
        return None
    order = _targets(elements, key, choice)
    if order is None:
        return None
    masquerade, seconds = choice.masquerade, choice.affinity_seconds
    whole = rule._replace(targets=tuple(sorted(order)), masquerade=masquerade, affinity_seconds=seconds)
    found = Placed(whole, order)
    # A chain with affinity names its targets; if they are others than the map's, it is of no use.
    return found if choice_for(found) == choice else None


def _targets(elements: Elements, key: bytes, choice: Choice) -> tuple[Target, ...] | None:
    """The targets a choice may come to, by number; None if one is missing."""
    endpoints = ENDPOINTS[choice.scope]
    order = []
    for number in range(choice.targets):
        element = elements.get((endpoints, key + native(number)))
        if element is None or not isinstance(element.value, bytes):
            return None
        address, port = _TARGET.unpack(element.value)
        is_local = (HAIRPINS, address + address) in elements
        order.append(Target(socket.inet_ntoa(address), port, is_local))
    return tuple(order)
