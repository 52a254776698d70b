"""How rules lie in nf_tables: a handful of maps, and a few chains over them that hardly ever change. Pure.

A rule of the model is a few elements of maps, so that a change of one endpoint changes a few elements, whatever else
there is, and a packet finds its way by hash lookups, however many Services there are:

    services   address . protocol . port            -> go to a choice chain
    endpoints  address . protocol . port . number   -> address . port of a target

A choice chain exists for every number of targets in use (`any-outside-3`): it takes a random number below it, and looks
up the target. So chains are shared by all Services alike, and the only thing to program for one is its elements.

                             prerouting, output (nat)
                                       |
    inside: services-inside, nodeports-inside    else: services, nodeports
                                       |
    choice chain: mark to masquerade; [affinity;] number by chance; look up the target; redirect

    postrouting (nat): masquerade what is marked, and targets that reach themselves
    input, forward, output (filter): connections to frontends without targets, and to ports no Service has, are refused

A rule with session affinity has a choice chain of its own, which asks of one target after the other whether the client
is remembered to have it (`affinity`, a set with a time limit). Such a chain never changes: its name holds a digest of
its targets, and a change of them goes to another chain. (A map from clients to targets would do with one lookup, and
the kernel takes it; but nft 1.0.6 crashes when it is to list a rule in which one lookup feeds another.)
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Network
from typing import Final, NamedTuple

from kubewire.kube_proxy.desired.model import Masquerade, Scope
from kubewire.kube_proxy.netlink import expressions as do
from kubewire.kube_proxy.netlink.tables import DROP, GOTO, IPV4, JUMP, Chain, Hook, SetType

TABLE: Final = "kubewire"

_ADDRESS, _PROTOCOL, _PORT, _NUMBER = 7, 12, 13, 19
"""nft's numbers of types, which tell `nft list` how to show keys."""


def _types(*kinds: int) -> int:
    """The type of a key of several fields: six bits for each."""
    joined = 0
    for kind in kinds:
        joined = joined << 6 | kind
    return joined


_FRONTEND: Final = _types(_ADDRESS, _PROTOCOL, _PORT)
_NODE_PORT: Final = _types(_PROTOCOL, _PORT)
_ENDPOINT: Final = _types(_ADDRESS, _PROTOCOL, _PORT, _NUMBER)
_TARGET: Final = _types(_ADDRESS, _PORT)
_CLIENT: Final = 0
"""nft's types of keys have room for five fields; a client with frontend and target has six, and is shown as bytes."""

SERVICES: Final = {Scope.ANY: "services", Scope.INSIDE: "services-inside"}
NODE_PORTS: Final = {Scope.ANY: "nodeports", Scope.INSIDE: "nodeports-inside"}
ENDPOINTS: Final = {Scope.ANY: "endpoints", Scope.INSIDE: "endpoints-inside"}
NO_ENDPOINTS: Final = "no-endpoints"
NO_ENDPOINTS_NODE_PORTS: Final = "no-endpoints-nodeports"
CLUSTER_IPS: Final = "cluster-ips"
HAIRPINS: Final = "hairpins"
AFFINITY: Final = "affinity"
REFUSE_CHAIN: Final = "refuse"

_AFFINITY_SIZE: Final = 1 << 18
"""Clients that are remembered; more get a target by chance."""

SETS: Final = (
    *(SetType(name, _FRONTEND, 12, is_verdict_map=True) for name in (*SERVICES.values(), NO_ENDPOINTS)),
    *(SetType(name, _NODE_PORT, 8, is_verdict_map=True) for name in (*NODE_PORTS.values(), NO_ENDPOINTS_NODE_PORTS)),
    *(SetType(name, _ENDPOINT, 16, _TARGET, 8) for name in ENDPOINTS.values()),
    SetType(CLUSTER_IPS, _ADDRESS, 4),
    SetType(HAIRPINS, _types(_ADDRESS, _ADDRESS), 8),
    SetType(AFFINITY, _CLIENT, 24, timeout_seconds=10800, size=_AFFINITY_SIZE),
)
FILLED_BY_US: Final = tuple(kind.name for kind in SETS if kind.name != AFFINITY)

_PREROUTING, _INPUT, _FORWARD, _OUTPUT, _POSTROUTING = range(5)
_DESTINATION, _SOURCE = -100, 100
_FILTER: Final = -5
"""After destinations are translated, so that what a Service has taken is not taken for a stray; before the filters of
others, which need not know Services."""
_NEW: Final = do.native(8)
_TCP: Final = bytes((6,))


class RuleText(NamedTuple):
    """One rule: what it does, and the name it is recognized by, which differs where what it does differs."""

    expressions: tuple[bytes, ...]
    comment: str


class ChainText(NamedTuple):
    """A chain with its rules."""

    chain: Chain
    rules: tuple[RuleText, ...]


class Options(NamedTuple):
    """What the fixed chains depend on."""

    cluster_cidrs: tuple[IPv4Network, ...] = ()
    mark: int = 0x4000


class Choice(NamedTuple):
    """What a choice chain is about; rules that agree in it share one."""

    is_node_port: bool
    scope: Scope
    masquerade: Masquerade
    targets: int
    affinity_seconds: int = 0
    digest: str = ""
    """With affinity: of frontend and targets."""

    @property
    def chain(self) -> str:
        """Its name, from which it can be read back."""
        return _chain_name(self)


@lru_cache(4096)
def _chain_name(choice: Choice) -> str:
    where = "nodeport" if choice.is_node_port else "service"
    name = f"{where}-{choice.scope.value}-{choice.masquerade.value}-{choice.targets}"
    return f"{name}-{choice.affinity_seconds}s-{choice.digest}" if choice.affinity_seconds else name


@lru_cache(4096)
def choice_of(chain: str) -> Choice | None:
    """What a chain's name says; None if it is no choice chain's."""
    words = chain.split("-")
    try:
        where, scope, masquerade, targets = words[:4]
        seconds, digest = (int(words[4].removesuffix("s")), words[5]) if len(words) == 6 else (0, "")
        found = Choice(where == "nodeport", Scope(scope), Masquerade(masquerade), int(targets), seconds, digest)
    except ValueError:
        return None
    return found if found.chain == chain else None


def fixed_chains(options: Options) -> tuple[ChainText, ...]:
    """The chains that are always there, in an order in which each is made before others go to it."""
    jump, check = do.verdict(JUMP, "services"), do.verdict(JUMP, "no-service")
    is_new = (do.connection_state(0), do.masked(0, _NEW, bytes(4)), do.differs(0, bytes(4)))
    nat = [("nat-prerouting", _PREROUTING), ("nat-output", _OUTPUT)]
    filters = [("filter-input", _INPUT), ("filter-forward", _FORWARD), ("filter-output", _OUTPUT)]
    return (
        # TCP has an answer of its own, which the kernel does not limit in number as it does ICMP's.
        _chain(Chain(REFUSE_CHAIN), (do.protocol(0), do.equals(0, _TCP), do.reset()), (do.refuse(),)),
        _chain(Chain("services"), *_services(options)),
        _chain(Chain("no-service"), *_no_service()),
        *(_chain(Chain(name, Hook("nat", number, _DESTINATION)), (jump,)) for name, number in nat),
        _chain(Chain("nat-postrouting", Hook("nat", _POSTROUTING, _SOURCE)), *_postrouting(options)),
        *(_chain(Chain(name, Hook("filter", number, _FILTER)), (*is_new, check)) for name, number in filters),
    )


def choice_chain(choice: Choice, targets: Sequence[bytes], options: Options) -> ChainText:
    """The chain that takes one of so many targets; with affinity it has to know them, as addresses and ports.

    Registers: 0 client, 1 frontend's address (0 for node ports), 2 protocol, 3 port, 4 number or target.
    """
    rules: list[tuple[bytes, ...]] = []
    if choice.masquerade is not Masquerade.NEVER:
        outside = _is_outside(options) if choice.masquerade is Masquerade.OUTSIDE else ()
        if choice.masquerade is Masquerade.ALWAYS or options.cluster_cidrs:
            rules.append((*outside, *_mark(options.mark)))
    key = _frontend_key(is_node_port=choice.is_node_port)
    endpoints = ENDPOINTS[choice.scope]
    if choice.affinity_seconds:
        rules += _affinity(key, targets, choice.affinity_seconds)
    # With affinity this is for clients more than can be remembered.
    rules.append((*key, do.by_chance(4, choice.targets), do.found_in(endpoints, 1, 5), _to(5)))
    # A packet that meets a change halfway may find no target of its number; the first one is there in any case.
    rules.append((*key, do.by_chance(4, 1), do.found_in(endpoints, 1, 5), _to(5)))
    rules.append((do.verdict(DROP),))
    return _chain(Chain(choice.chain), *rules)


def _affinity(key: Sequence[bytes], targets: Sequence[bytes], seconds: int) -> list[tuple[bytes, ...]]:
    """To the target the client had; else to one by chance, which it has from then on."""
    remember = do.remember(AFFINITY, 0, seconds)
    known, chosen = [], []
    for number, target in enumerate(targets):
        client = (do.source_address(0), *key, do.load(4, target[:4]), do.load(5, target[4:6]))
        known.append((*client, do.is_in(AFFINITY, 0), remember, _to(4)))
        # Of those that are left each is as likely as the others.
        left = len(targets) - number
        by_chance = (do.by_chance(6, left), do.equals(6, bytes(4))) if left > 1 else ()
        chosen.append((*by_chance, *client, remember, _to(4)))
    return [*known, *chosen]


def _chain(chain: Chain, *rules: tuple[bytes, ...]) -> ChainText:
    return ChainText(chain, tuple(RuleText(rule, _name(chain.name, number, rule)) for number, rule in enumerate(rules)))


def _name(chain: str, number: int, rule: Sequence[bytes]) -> str:
    digest = hashlib.sha256(b"|".join(rule)).hexdigest()[:10]
    return f"{chain}/{number} {digest}"


def _services(options: Options) -> list[tuple[bytes, ...]]:
    frontend, node_port = _frontend_key(is_node_port=False), (do.protocol(2), do.destination_port(3))
    here = (do.type_of_destination(4), do.equals(4, do.LOCAL), do.destination_address(1), *_is_not_loopback(1))
    inside = _inside(options)
    return [
        *((*one, *frontend, do.go_where(SERVICES[Scope.INSIDE], 1)) for one in inside),
        (*frontend, do.go_where(SERVICES[Scope.ANY], 1)),
        *((*here, *one, *node_port, do.go_where(NODE_PORTS[Scope.INSIDE], 2)) for one in inside),
        (*here, *node_port, do.go_where(NODE_PORTS[Scope.ANY], 2)),
    ]


def _inside(options: Options) -> list[tuple[bytes, ...]]:
    """Ways to be inside: to come from a pod, or from the node itself."""
    pods = [
        (do.source_address(0), do.masked(0, one.netmask.packed, bytes(4)), do.equals(0, one.network_address.packed))
        for one in options.cluster_cidrs
    ]
    return [*pods, (do.type_of_source(0), do.equals(0, do.LOCAL))]


def _is_outside(options: Options) -> tuple[bytes, ...]:
    parts: list[bytes] = []
    for one in options.cluster_cidrs:
        masked = do.masked(0, one.netmask.packed, bytes(4))
        parts += [do.source_address(0), masked, do.differs(0, one.network_address.packed)]
    return tuple(parts)


def _is_not_loopback(register: int) -> tuple[bytes, ...]:
    """Node ports are not served on loopback, whose packets cannot leave it. Uses up the register's address."""
    return (do.masked(register, b"\xff\0\0\0", bytes(4)), do.differs(register, b"\x7f\0\0\0"))


def _no_service() -> list[tuple[bytes, ...]]:
    frontend, node_port = _frontend_key(is_node_port=False), (do.protocol(2), do.destination_port(3))
    here = (do.type_of_destination(4), do.equals(4, do.LOCAL))
    return [
        (*frontend, do.go_where(NO_ENDPOINTS, 1)),
        (*here, *node_port, do.go_where(NO_ENDPOINTS_NODE_PORTS, 2)),
        (do.destination_address(1), do.is_in(CLUSTER_IPS, 1), do.verdict(GOTO, REFUSE_CHAIN)),
    ]


def _postrouting(options: Options) -> list[tuple[bytes, ...]]:
    bit = do.native(options.mark)
    is_marked = (do.mark(0), do.masked(0, bit, bytes(4)), do.differs(0, bytes(4)))
    unmark = (do.mark(0), do.masked(0, b"\xff\xff\xff\xff", bit), do.set_mark(0))
    # What the node sends to itself comes back by itself.
    leaves = (do.way_out(0), do.differs(0, do.LOOPBACK))
    is_hairpin = (*leaves, do.source_address(0), do.destination_address(1), do.is_in(HAIRPINS, 0))
    return [(*is_marked, *unmark, *leaves, do.masquerade()), (*is_hairpin, do.masquerade())]


def _mark(mark: int) -> tuple[bytes, ...]:
    bit = do.native(mark)
    keep = do.native(~mark & 0xFFFFFFFF)
    return (do.mark(0), do.masked(0, keep, bit), do.set_mark(0))


def _frontend_key(*, is_node_port: bool) -> tuple[bytes, ...]:
    """Address, protocol and port of a connection in registers 1 to 3."""
    address = do.load(1, bytes(4)) if is_node_port else do.destination_address(1)
    return (address, do.protocol(2), do.destination_port(3))


def _to(register: int) -> bytes:
    return do.redirect(IPV4, register, register + 1)
