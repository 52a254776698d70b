"""Sets of fields as tries of path elements, with the operations and the text form (FieldsV1) of Kubernetes.

A trie maps elements to sub-tries, exactly as FieldsV1 does: an empty sub-trie is a member without members below;
`.` beside other elements makes a node a member itself. A parent and its children are members independently of
each other. Tries are never changed once they are part of a set, so sets share them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TypeAlias, cast

import orjson

from kubewire.machinery.managed_fields import elements
from kubewire.machinery.managed_fields.elements import SELF

Trie: TypeAlias = "dict[str, Trie]"

LEAF: Trie = {}
"""A member with nothing below; shared, hence never to be changed."""

MAX_DEPTH = 200
_CACHED_BYTES = 16_384


class FieldsError(ValueError):
    """A text is not FieldsV1. The fault of who wrote it, a retry does not help."""


class FieldSet:
    """An immutable set of fields."""

    __slots__ = ("_text", "trie")

    def __init__(self, trie: Trie) -> None:
        self.trie = trie
        self._text: bytes | None = None

    @classmethod
    def of_paths(cls, paths: Iterable[Sequence[str]]) -> FieldSet:
        """From paths of field names, e.g. `("status",)`, `("metadata", "name")`."""
        trie: Trie = {}
        for path in paths:
            trie = _union(trie, _single([elements.field(name) for name in path]))
        return cls(trie)

    @classmethod
    def from_fields_v1(cls, text: bytes) -> FieldSet:
        """The set FieldsV1 stands for; elements of unknown kinds are left out.

        Raises:
            FieldsError: the text is no JSON of this form.
        """
        return _decode_cached(text) if len(text) <= _CACHED_BYTES else _decode(text)

    @property
    def fields_v1(self) -> bytes:
        """The canonical FieldsV1 text."""
        if self._text is None:
            self._text = orjson.dumps(_ordered(self.trie))
        return self._text

    @property
    def is_empty(self) -> bool:
        """Whether there is no member."""
        return not self.trie

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FieldSet):
            return NotImplemented
        return self.trie == other.trie

    def __hash__(self) -> int:
        return hash(self.fields_v1)

    def __repr__(self) -> str:
        return f"FieldSet({self.fields_v1.decode()})"

    def __contains__(self, path: Sequence[str]) -> bool:
        """Whether the path, given as elements, is a member."""
        node = self.trie
        for element in path:
            below = node.get(element)
            if below is None:
                return False
            node = below
        return bool(path) and _is_member(node)

    def union(self, other: FieldSet) -> FieldSet:
        """Members of either; one of the two themselves when it holds the other."""
        merged = _union(self.trie, other.trie)
        return self if merged is self.trie else FieldSet(merged)

    def difference(self, other: FieldSet) -> FieldSet:
        """Members of this that are no members of the other; children stay when only their parent goes."""
        left = _difference(self.trie, other.trie)
        return self if left is self.trie else FieldSet(left)

    def without(self, other: FieldSet) -> FieldSet:
        """Members of this that are neither members of the other nor below one."""
        left = _without(self.trie, other.trie)
        return self if left is self.trie else FieldSet(left)

    def intersection(self, other: FieldSet) -> FieldSet:
        """Members of both."""
        return FieldSet(_intersection(self.trie, other.trie))

    def paths(self) -> Iterator[tuple[str, ...]]:
        """All members, as tuples of elements; those of a node before those below it, in canonical order."""
        return _paths(self.trie, ())


def _is_member(node: Trie) -> bool:
    return not node or SELF in node


def _single(path: Sequence[str]) -> Trie:
    return {path[0]: _single(path[1:])} if path else LEAF


def _union(left: Trie, right: Trie) -> Trie:
    """`left` itself when nothing is added."""
    merged: Trie | None = None
    for element, below in right.items():
        mine = left.get(element)
        both = below if mine is None else _union_node(mine, below)
        if both is not mine:
            merged = dict(left) if merged is None else merged
            merged[element] = both
    return left if merged is None else merged


def _union_node(left: Trie, right: Trie) -> Trie:
    if not right:
        return left if _is_member(left) else {SELF: LEAF, **left}
    if not left:
        return right if SELF in right else {SELF: LEAF, **right}
    return _union(left, right)


def _difference(left: Trie, right: Trie) -> Trie:
    """`left` itself when nothing is taken away."""
    kept: Trie | None = None
    for element, theirs in right.items():
        mine = left.get(element)
        if mine is None or element == SELF:
            continue
        rest = _difference_node(mine, theirs)
        if rest is not mine:
            kept = dict(left) if kept is None else kept
            if rest is None:
                del kept[element]
            else:
                kept[element] = rest
    return left if kept is None else kept


def _difference_node(mine: Trie, theirs: Trie) -> Trie | None:
    """What is left of a node; None when that is nothing."""
    was_member = _is_member(mine)
    is_member = was_member and not _is_member(theirs)
    below = _difference(mine, theirs)
    if below is mine and is_member == was_member:
        return mine
    below = {element: node for element, node in below.items() if element != SELF}
    if is_member:
        return {SELF: LEAF, **below} if below else LEAF
    return below or None


def _without(left: Trie, right: Trie) -> Trie:
    kept: Trie | None = None
    for element, theirs in right.items():
        mine = left.get(element)
        if mine is None or element == SELF:
            continue
        rest = None if _is_member(theirs) else _without(mine, theirs)
        if rest is mine:
            continue
        kept = dict(left) if kept is None else kept
        # A node that was a leaf or keeps its own mark stays; one left without anything goes.
        if rest:
            kept[element] = rest if set(rest) != {SELF} else LEAF
        else:
            del kept[element]
    return left if kept is None else kept


def _intersection(left: Trie, right: Trie) -> Trie:
    shared: Trie = {}
    for element, mine in left.items():
        theirs = right.get(element)
        if theirs is None or element == SELF:
            continue
        below = _intersection(mine, theirs)
        if _is_member(mine) and _is_member(theirs):
            shared[element] = {SELF: LEAF, **below} if below else LEAF
        elif below:
            shared[element] = below
    return shared


def _paths(trie: Trie, prefix: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    ordered = [(element, node) for element, node in _ordered_items(trie) if element != SELF]
    for element, node in ordered:
        if _is_member(node):
            yield (*prefix, element)
    for element, node in ordered:
        yield from _paths(node, (*prefix, element))


def _ordered_items(trie: Trie) -> list[tuple[str, Trie]]:
    items = sorted(trie.items(), key=_first)
    if items and items[-1][0] > "g":  # not only fields, which sort as texts
        items.sort(key=_order)
    return items


def _first(item: tuple[str, Trie]) -> str:
    return item[0]


def _order(item: tuple[str, Trie]) -> elements.SortKey:
    return elements.sort_key(item[0])


def _ordered(trie: Trie) -> Trie:
    return {element: _ordered(node) if node else LEAF for element, node in _ordered_items(trie)}


@lru_cache(2048)
def _decode_cached(text: bytes) -> FieldSet:
    return _decode(text)


def _decode(text: bytes) -> FieldSet:
    try:
        found: object = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise FieldsError(f"fieldsV1 is no JSON: {error}") from None
    trie = _read(found, MAX_DEPTH)
    return FieldSet({element: node for element, node in trie.items() if element != SELF})


def _read(found: object, depth: int) -> Trie:
    if not isinstance(found, dict):
        raise FieldsError(f"fieldsV1 must consist of objects, found {type(found).__name__}")
    if depth == 0:
        raise FieldsError(f"fieldsV1 is nested deeper than {MAX_DEPTH} levels")
    trie: Trie = {}
    for text, below in cast("dict[str, object]", found).items():
        if text == SELF:
            trie[SELF] = LEAF
        elif _is_known(text):
            trie[_canonical(text)] = _read(below, depth - 1)
    # A node that holds nothing but its own mark is a leaf.
    return LEAF if trie.keys() == {SELF} else trie


def _is_known(text: str) -> bool:
    try:
        return elements.is_known(text)
    except elements.ElementError as error:
        raise FieldsError(str(error)) from None


def _canonical(text: str) -> str:
    try:
        return elements.canonical(text)
    except elements.ElementError as error:
        raise FieldsError(str(error)) from None


EMPTY = FieldSet({})
