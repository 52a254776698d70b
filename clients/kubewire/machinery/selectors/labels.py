"""Label selectors: requirements on labels, compiled once into a fast match function.

A selector comes from text (`app=web,tier in (a,b),!old`: queries, `kubectl -l`), from a LabelSelector message
or its JSON form (`spec.selector`), or from plain labels (`Service.spec.selector`). Its requirements are kept
sorted by key, so equal selectors print alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Protocol, TypeAlias

from kubewire.machinery.quoting import quote
from kubewire.machinery.selectors.label_grammar import parse_requirements
from kubewire.machinery.selectors.requirements import (
    Operator,
    Requirement,
    SelectorError,
    parse_integer,
    requirement,
)

__all__ = ["EVERYTHING", "NOTHING", "Operator", "Requirement", "Selector", "SelectorError", "requirement"]

Labels: TypeAlias = Mapping[str, str]
Predicate: TypeAlias = Callable[[Labels], bool]

_EXACT = frozenset({Operator.EQUALS, Operator.DOUBLE_EQUALS})
_WANTED = _EXACT | {Operator.IN}
_UNWANTED = frozenset({Operator.NOT_EQUALS, Operator.NOT_IN})

_OF_EXPRESSION = {
    "In": Operator.IN,
    "NotIn": Operator.NOT_IN,
    "Exists": Operator.EXISTS,
    "DoesNotExist": Operator.DOES_NOT_EXIST,
}


class Selector:
    """Requirements that must all hold. `matches(labels)` tells whether they do; immutable and hashable."""

    __slots__ = ("_text", "matches", "requirements")

    matches: Predicate
    """Compiled from the requirements; takes any mapping of labels."""

    def __init__(self, requirements: Iterable[Requirement] = ()) -> None:
        self.requirements = tuple(sorted(requirements, key=lambda one: one.key))
        self.matches = _compile(self.requirements)
        self._text = ",".join(map(str, self.requirements))

    @property
    def is_everything(self) -> bool:
        """Whether there is nothing to match."""
        return not self.requirements and self.matches is _always

    def exact_value(self, key: str) -> str | None:
        """The only value a label may have, for looking objects up in an index; None if there are several."""
        for one in self.requirements:
            if one.key == key:
                return one.values[0] if one.operator in _WANTED and len(one.values) == 1 else None
        return None

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"Selector({self._text!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Selector):
            return NotImplemented
        return self.requirements == other.requirements and (self is NOTHING) == (other is NOTHING)

    def __hash__(self) -> int:
        return hash(self.requirements)


def _always(labels: Labels) -> bool:  # noqa: ARG001 - a Predicate
    return True


def _never(labels: Labels) -> bool:  # noqa: ARG001 - a Predicate
    return False


def _compile(requirements: Sequence[Requirement]) -> Predicate:
    if not requirements:
        return _always
    if len(requirements) == 1:
        return _predicate(requirements[0])
    if all(one.operator in _EXACT for one in requirements):
        return _all_equal([(one.key, one.values[0]) for one in requirements])
    return _all_hold(tuple(map(_predicate, requirements)))


def _all_hold(predicates: tuple[Predicate, ...]) -> Predicate:
    def matches(labels: Labels) -> bool:
        for predicate in predicates:  # noqa: SIM110 - a generator would cost more than the predicates
            if not predicate(labels):
                return False
        return True

    return matches


def _all_equal(wanted: list[tuple[str, str]]) -> Predicate:
    def matches(labels: Labels) -> bool:
        get = labels.get
        for key, value in wanted:  # noqa: SIM110 - a generator would cost more than the comparisons
            if get(key) != value:
                return False
        return True

    return matches


def _predicate(one: Requirement) -> Predicate:
    key, operator, values = one
    if operator in _WANTED:
        return _equal(key, values[0]) if len(values) == 1 else _in(key, frozenset(values))
    if operator in _UNWANTED:
        # An absent label is None, which is never among the values.
        unwanted = frozenset(values)
        return lambda labels: labels.get(key) not in unwanted
    if operator is Operator.EXISTS:
        return lambda labels: key in labels
    if operator is Operator.DOES_NOT_EXIST:
        return lambda labels: key not in labels
    return _ordered(key, int(values[0]), is_greater=operator is Operator.GREATER_THAN)


def _equal(key: str, value: str) -> Predicate:
    return lambda labels: labels.get(key) == value


def _in(key: str, values: frozenset[str]) -> Predicate:
    return lambda labels: labels.get(key) in values


def _ordered(key: str, bound: int, *, is_greater: bool) -> Predicate:
    def matches(labels: Labels) -> bool:
        number = parse_integer(labels.get(key, ""))
        if number is None:
            return False
        return number > bound if is_greater else number < bound

    return matches


def _nothing() -> Selector:
    selector = Selector()
    selector.matches = _never
    return selector


EVERYTHING = Selector()
NOTHING = _nothing()


@lru_cache(1024)
def _parse_cached(text: str) -> Selector:
    return Selector(parse_requirements(text))


def parse(text: str) -> Selector:
    """The selector a query's text stands for; the empty text selects everything.

    Raises:
        SelectorError: the text does not follow the grammar, or a key or value is malformed.
    """
    return _parse_cached(text) if len(text) <= 512 else _parse_cached.__wrapped__(text)


def from_labels(labels: Labels) -> Selector:
    """Selects what carries all of `labels`; without any, everything. Nothing is checked."""
    return Selector(Requirement(key, Operator.EQUALS, (value,)) for key, value in labels.items())


class _Expression(Protocol):
    """What this module needs of `meta.v1.LabelSelectorRequirement`."""

    key: str
    operator: str

    @property
    def values(self) -> Sequence[str]:
        """What the label's value is compared with."""


class LabelSelectorMessage(Protocol):
    """What this module needs of the `meta.v1.LabelSelector` message."""

    @property
    def matchLabels(self) -> Mapping[str, str]:  # noqa: N802 - the message's own name
        """Labels that must be there with these values."""

    @property
    def matchExpressions(self) -> Iterable[_Expression]:  # noqa: N802 - the message's own name
        """Further requirements."""


def from_message(selector: LabelSelectorMessage | None) -> Selector:
    """From `meta.v1.LabelSelector`: absent selects nothing, empty everything.

    Raises:
        SelectorError: a key, value or operator is malformed.
    """
    if selector is None:
        return NOTHING
    return _from_parts(selector.matchLabels, [(one.key, one.operator, one.values) for one in selector.matchExpressions])


def from_json(selector: Mapping[str, object] | None) -> Selector:
    """From a LabelSelector in JSON form; the same rules as `from_message`.

    Raises:
        SelectorError: a key, value or operator is malformed, or a part has the wrong type.
    """
    if selector is None:
        return NOTHING
    labels = selector.get("matchLabels") or {}
    expressions = selector.get("matchExpressions") or []
    if not isinstance(labels, dict) or not isinstance(expressions, list):
        raise SelectorError("matchLabels must be a map and matchExpressions a list")
    return _from_parts(labels, [_expression(one) for one in expressions])


def _expression(one: object) -> tuple[str, str, Sequence[str]]:
    if not isinstance(one, dict):
        raise SelectorError("matchExpressions must be a list of maps")
    return str(one.get("key", "")), str(one.get("operator", "")), list(map(str, one.get("values") or ()))


def _from_parts(labels: Labels, expressions: Iterable[tuple[str, str, Sequence[str]]]) -> Selector:
    requirements = [requirement(key, Operator.EQUALS, (value,)) for key, value in labels.items()]
    for key, name, values in expressions:
        operator = _OF_EXPRESSION.get(name)
        if operator is None:
            raise SelectorError(f"{quote(name)} is not a valid label selector operator")
        requirements.append(requirement(key, operator, values))
    return Selector(requirements)
