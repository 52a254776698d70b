"""The text form of label selectors.

    selector    = [ requirement *( "," requirement ) ]
    requirement = key | "!" key | key ( "=" | "==" | "!=" | ">" | "<" ) [ value ] | key ( "in" | "notin" ) values
    values      = "(" [ value ] *( "," [ value ] ) ")"

A value may be empty, and `in` and `notin` are operators only behind a key. White space separates and is dropped.
"""

from __future__ import annotations

import re

from kubewire.machinery import field_errors, names
from kubewire.machinery.field_path import Path
from kubewire.machinery.selectors.requirements import Operator, Requirement, SelectorError, requirement

_tokens = re.compile(r"==|!=|[=!(),<>]|[^=!(),<> \t\r\n]+").findall
_SYMBOLS = frozenset({"==", "!=", "=", "!", "(", ")", ",", "<", ">"})
_OPERATORS = {
    "in": Operator.IN,
    "notin": Operator.NOT_IN,
    "=": Operator.EQUALS,
    "==": Operator.DOUBLE_EQUALS,
    "!=": Operator.NOT_EQUALS,
    ">": Operator.GREATER_THAN,
    "<": Operator.LESS_THAN,
}
_OPERATOR_NAMES = "in, notin, =, ==, !=, gt, lt"
_END = ""
_NO_PATH = Path("<nil>")
"""What Kubernetes prints in front of a problem with a key: the query has no field path."""


def parse_requirements(text: str) -> list[Requirement]:
    """The requirements in the order written.

    Raises:
        SelectorError: with what was found and what was expected.
    """
    return _Parser([*_tokens(text), _END]).selector()


def _is_word(word: str) -> bool:
    return word != _END and word not in _SYMBOLS


class _Parser:
    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._position = 0

    @property
    def _next(self) -> str:
        return self._tokens[self._position]

    def _take(self) -> str:
        word = self._tokens[self._position]
        self._position += 1
        return word

    def selector(self) -> list[Requirement]:
        requirements: list[Requirement] = []
        if self._next == _END:
            return requirements
        if not self._starts_requirement():
            raise SelectorError(f"found '{self._next}', expected: !, identifier, or 'end of string'")
        while True:
            requirements.append(self._requirement())
            word = self._take()
            if word == _END:
                return requirements
            if word != ",":
                raise SelectorError(f"found '{word}', expected: ',' or 'end of string'")
            if not self._starts_requirement():
                raise SelectorError(f"found '{self._next}', expected: identifier after ','")

    def _starts_requirement(self) -> bool:
        return self._next == "!" or _is_word(self._next)

    def _requirement(self) -> Requirement:
        try:
            return self._parse_requirement()
        except SelectorError as error:
            raise SelectorError(f"unable to parse requirement: {error}") from None

    def _parse_requirement(self) -> Requirement:
        is_negated = self._next == "!"
        if is_negated:
            self._take()
        key = self._key()
        if is_negated:
            return requirement(key, Operator.DOES_NOT_EXIST)
        if self._next in {_END, ","}:
            return requirement(key, Operator.EXISTS)
        word = self._take()
        operator = _OPERATORS.get(word)
        if operator is None:
            raise SelectorError(f"found '{word}', expected: {_OPERATOR_NAMES}")
        is_set = operator in {Operator.IN, Operator.NOT_IN}
        return requirement(key, operator, self._values() if is_set else (self._value(),))

    def _key(self) -> str:
        word = self._take()
        if not _is_word(word):
            raise SelectorError(f"found '{word}', expected: identifier")
        problems = names.qualified_name(word)
        if problems:
            raise SelectorError(str(field_errors.invalid(_NO_PATH, word, "; ".join(problems))))
        return word

    def _value(self) -> str:
        if self._next in {_END, ","}:
            return ""
        word = self._take()
        if not _is_word(word):
            raise SelectorError(f"found '{word}', expected: identifier")
        return word

    def _values(self) -> list[str]:
        word = self._take()
        if word != "(":
            raise SelectorError(f"found '{word}' expected: '('")
        if self._next not in {",", ")"} and not _is_word(self._next):
            raise SelectorError(f"found '{self._next}', expected: ',', ')' or identifier")
        values: list[str] = []
        while True:
            values.append(self._take() if _is_word(self._next) else "")
            word = self._take()
            if word == ")":
                return values
            if word != ",":
                raise SelectorError(f"found '{word}', expected: ',' or ')'")
