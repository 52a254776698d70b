"""From what the table is to what it should be, as one transaction. Pure.

Only what differs is touched. Deletions come before additions, as an element is replaced by both; chains that nobody
goes to any more are deleted last, those that somebody will go to are made first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple, TypeVar

from kubewire.kube_proxy.backends.nftables.elements import Elements
from kubewire.kube_proxy.backends.nftables.kernel import Image
from kubewire.kube_proxy.backends.nftables.layout import AFFINITY, SETS, ChainText, Choice, choice_of
from kubewire.kube_proxy.netlink.socket import Message
from kubewire.kube_proxy.netlink.tables import Element, Namespace, SetType

T = TypeVar("T")


class Changes(NamedTuple):
    """Elements to delete and to add, and choices that are needed no more or anew."""

    delete: Iterable[tuple[str, bytes]] = ()
    add: Iterable[tuple[str, Element]] = ()
    drop_chains: Iterable[str] = ()
    add_chains: Iterable[ChainText] = ()


def transaction(messages: Namespace, changes: Changes) -> list[Message]:
    """For a table whose fixed parts are in place."""
    found: list[Message] = []
    for chain in changes.add_chains:
        found += _make_chain(messages, chain)
    for name, keys in _grouped(changes.delete, lambda key: key).items():
        found += messages.delete_elements(name, keys)
    for name, elements in _grouped(changes.add, lambda element: element).items():
        found += messages.add_elements(name, elements)
    found += [messages.delete_chain(name) for name in changes.drop_chains]
    return found


def repair(messages: Namespace, image: Image, fixed: Iterable[ChainText], wanted: Wanted) -> list[Message]:
    """The whole table, whatever is wrong with it."""
    found: list[Message] = []
    fixed = list(fixed)
    if is_alien(image, fixed):
        found.append(messages.delete_table())
        image = Image()
    found.append(messages.add_table())
    made = [kind for kind in SETS if kind.name not in image.sets]
    found += [messages.add_set(kind, number) for number, kind in enumerate(made, 1)]
    chains = [*fixed, *wanted.chains]
    for chain in chains:
        if chain.chain.name not in image.chains:
            found.append(messages.add_chain(chain.chain))
    for chain in chains:
        if image.rules.get(chain.chain.name) != [rule.comment for rule in chain.rules]:
            found += _fill_chain(messages, chain, is_filled=bool(image.rules.get(chain.chain.name)))
    names = {chain.chain.name for chain in chains}
    unused = [name for name in image.chains if name not in names]
    found += transaction(messages, Changes(*_element_changes(image.elements, wanted.elements)))
    # Chains of others in our table may go to each other: empty all before the first is deleted.
    found += [messages.flush_chain(name) for name in unused if image.rules.get(name)]
    found += [messages.delete_chain(name) for name in unused]
    return found


class Wanted(NamedTuple):
    """What a table should hold beside its fixed parts."""

    elements: Elements
    chains: Iterable[ChainText]


def is_alien(image: Image, fixed: Iterable[ChainText]) -> bool:
    """Whether the table has parts of other kinds under our names: of another version, which cannot be changed."""
    if any(_differs(kind, image.sets.get(kind.name)) for kind in SETS):
        return True
    return any(image.chains.get(one.chain.name, one.chain) != one.chain for one in fixed)


def damage(image: Image, fixed: Iterable[ChainText], wanted: Wanted) -> Iterator[str]:
    """What is not as it should be, in words."""
    fixed = list(fixed)
    if not image.exists:
        yield "the table is missing"
    elif is_alien(image, fixed):
        yield "the table is another version's"
    else:
        yield from (f"set {kind.name} is missing" for kind in SETS if kind.name not in image.sets)
        yield from _damaged_chains(image, [*fixed, *wanted.chains])
        delete, add = _element_changes(image.elements, wanted.elements)
        yield from (f"set {name} has strays" for name in sorted({name for name, _ in delete}))
        yield from (f"set {name} lacks elements" for name in sorted({name for name, _ in add}))


def _damaged_chains(image: Image, chains: Iterable[ChainText]) -> Iterator[str]:
    names = set()
    for chain in chains:
        name = chain.chain.name
        names.add(name)
        if name not in image.chains:
            yield f"chain {name} is missing"
        elif image.rules[name] != [rule.comment for rule in chain.rules]:
            yield f"chain {name} has other rules"
    for name in image.chains:
        if name not in names:
            yield f"chain {name} leads nowhere" if choice_of(name) else f"chain {name} is not ours"


def chains_for(choices: Iterable[Choice], make: Callable[[Choice], ChainText]) -> list[ChainText]:
    """The chains of choices, in an order that does not depend on theirs."""
    return [make(choice) for choice in sorted(set(choices), key=lambda one: one.chain)]


def _element_changes(actual: Elements, wanted: Elements) -> tuple[list[tuple[str, bytes]], list[tuple[str, Element]]]:
    """Elements to delete, and elements to add."""
    delete = [place for place, element in actual.items() if wanted.get(place) != element]
    add = [(place[0], element) for place, element in wanted.items() if actual.get(place) != element]
    return delete, add


def _make_chain(messages: Namespace, chain: ChainText) -> Iterator[Message]:
    yield messages.add_chain(chain.chain)
    yield from _fill_chain(messages, chain, is_filled=False)


def _fill_chain(messages: Namespace, chain: ChainText, *, is_filled: bool) -> Iterator[Message]:
    name = chain.chain.name
    if is_filled:
        yield messages.flush_chain(name)
    for rule in chain.rules:
        yield messages.add_rule(name, rule.expressions, rule.comment)


def _differs(kind: SetType, found: SetType | None) -> bool:
    """Whether a set is there and of another kind. The kernel does not tell every size."""
    if found is None:
        return False
    timeout = kind.timeout_seconds if kind.name == AFFINITY else 0
    return found._replace(size=0) != kind._replace(size=0, timeout_seconds=timeout)


def _grouped(items: Iterable[tuple[str, T]], value: Callable[[T], T]) -> Mapping[str, list[T]]:
    groups: defaultdict[str, list[T]] = defaultdict(list)
    for name, item in items:
        groups[name].append(value(item))
    return groups
