r"""Field selectors: `metadata.name=web,status.phase!=Running`, compiled into a fast match function.

Each kind offers a few fields; which ones, and how their values are read, is the registry's knowledge. A field
that an object does not have counts as empty. In values, `\`, `,` and `=` are written `\\`, `\,` and `\=`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from kubewire.machinery.selectors.requirements import SelectorError

Fields: TypeAlias = Mapping[str, str]
Predicate: TypeAlias = Callable[[Fields], bool]

_split_terms = re.compile(r"((?:[^,\\]|\\.?)*)(?:,|\Z)", re.DOTALL)
_split_term = re.compile(r"(.*?)(!=|==|=)(.*)", re.DOTALL).fullmatch
_escapes = re.compile(r"\\(.?)|([,=])", re.DOTALL)


class Requirement(NamedTuple):
    """One condition: the field has this value, or (`is_equal` false) another one."""

    field: str
    value: str
    is_equal: bool = True

    def __str__(self) -> str:
        return f"{self.field}{'=' if self.is_equal else '!='}{escape(self.value)}"


class Selector:
    """Requirements that must all hold. `matches(fields)` tells whether they do; immutable and hashable."""

    __slots__ = ("matches", "requirements")

    matches: Predicate

    def __init__(self, requirements: Iterable[Requirement] = ()) -> None:
        self.requirements = tuple(requirements)
        self.matches = _compile(self.requirements)

    @property
    def is_everything(self) -> bool:
        """Whether there is nothing to match."""
        return not self.requirements

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that are asked for."""
        return tuple(one.field for one in self.requirements)

    def exact_value(self, field: str) -> str | None:
        """The value the field must have, for looking objects up by it; None when that is left open."""
        for one in self.requirements:
            if one.field == field and one.is_equal:
                return one.value
        return None

    def __str__(self) -> str:
        return ",".join(map(str, self.requirements))

    def __repr__(self) -> str:
        return f"Selector({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Selector):
            return NotImplemented
        return self.requirements == other.requirements

    def __hash__(self) -> int:
        return hash(self.requirements)


def equals(field: str, value: str) -> Selector:
    """Selects by one field's value."""
    return Selector([Requirement(field, value)])


@lru_cache(1024)
def _parse_cached(text: str) -> Selector:
    terms = sorted(term for term in _split_terms.findall(text) if term)
    return Selector(_parse_term(term, text) for term in terms)


def parse(text: str) -> Selector:
    """The selector a query's text stands for; the empty text selects everything.

    Raises:
        SelectorError: a term has no operator, or a value is not escaped properly.
    """
    return _parse_cached(text) if len(text) <= 512 else _parse_cached.__wrapped__(text)


def _parse_term(term: str, text: str) -> Requirement:
    match = _split_term(term)
    if match is None:
        raise SelectorError(f"invalid selector: '{text}'; can't understand '{term}'")
    field, operator, value = match.groups()
    return Requirement(field, unescape(value), operator != "!=")


def escape(value: str) -> str:
    """`value` as it is written in a selector."""
    return value.replace("\\", "\\\\").replace(",", "\\,").replace("=", "\\=")


def unescape(text: str) -> str:
    """The value that is written `text` in a selector.

    Raises:
        SelectorError: a character that needs an escape has none, or the other way round.
    """
    return _escapes.sub(_unescape_match, text)


def _unescape_match(match: re.Match[str]) -> str:
    escaped, bare = match.groups()
    if bare is not None:
        raise SelectorError(f"invalid field selector: unescaped character in value: {ord(bare)}")
    if escaped not in {"\\", ",", "="}:
        raise SelectorError(f"invalid field selector: invalid escape sequence: \\{escaped}")
    return str(escaped)


def _compile(requirements: tuple[Requirement, ...]) -> Predicate:
    if not requirements:
        return lambda _: True
    if len(requirements) == 1:
        field, value, is_equal = requirements[0]
        return lambda fields: (fields.get(field, "") == value) is is_equal

    def matches(fields: Fields) -> bool:
        get = fields.get
        for field, value, is_equal in requirements:  # noqa: SIM110 - a generator would cost more
            if (get(field, "") == value) is not is_equal:
                return False
        return True

    return matches


EVERYTHING = Selector()
