"""One requirement on a label: its operators, its checks, its text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from kubewire.machinery import field_errors, names
from kubewire.machinery.field_errors import FieldError
from kubewire.machinery.field_path import ROOT


class SelectorError(ValueError):
    """A selector cannot be understood; the message is Kubernetes'. The user's fault, a retry does not help."""


class Operator(StrEnum):
    """How a label relates to the values of a requirement."""

    IN = "in"
    NOT_IN = "notin"
    EQUALS = "="
    DOUBLE_EQUALS = "=="
    NOT_EQUALS = "!="
    EXISTS = "exists"
    DOES_NOT_EXIST = "!"
    GREATER_THAN = "gt"
    LESS_THAN = "lt"


_SETS = frozenset({Operator.IN, Operator.NOT_IN})
_PRESENCE = frozenset({Operator.EXISTS, Operator.DOES_NOT_EXIST})
_ORDER = frozenset({Operator.GREATER_THAN, Operator.LESS_THAN})

_SYMBOLS = {
    Operator.IN: " in ",
    Operator.NOT_IN: " notin ",
    Operator.GREATER_THAN: ">",
    Operator.LESS_THAN: "<",
}


class Requirement(NamedTuple):
    """One condition on one label; `values` are sorted and without repeats."""

    key: str
    operator: Operator
    values: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.operator is Operator.EXISTS:
            return self.key
        if self.operator is Operator.DOES_NOT_EXIST:
            return f"!{self.key}"
        values = ",".join(self.values)
        if self.operator in _SETS:
            values = f"({values})"
        return f"{self.key}{_SYMBOLS.get(self.operator, self.operator.value)}{values}"


def requirement(key: str, operator: Operator, values: Iterable[str] = ()) -> Requirement:
    """A checked requirement.

    Raises:
        SelectorError: the key or a value is malformed, or the operator does not take so many values.
    """
    made = Requirement(key, operator, tuple(sorted(set(values))))
    problems = [str(problem) for problem in _problems(made)]
    if problems:
        raise SelectorError(problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]")
    return made


def _problems(made: Requirement) -> list[FieldError]:
    problems = [
        field_errors.invalid(ROOT.child("key"), made.key, "; ".join(found))
        for found in (names.qualified_name(made.key),)
        if found
    ]
    problems += _count_problems(made.operator, made.values)
    for i, value in enumerate(made.values):
        found = names.label_value(value)
        if found:
            path = ROOT.child("values").index(i).key(made.key)
            problems.append(field_errors.invalid(path, value, "; ".join(found)))
    return problems


def _count_problems(operator: Operator, values: Sequence[str]) -> list[FieldError]:
    path = ROOT.child("values")
    if operator in _SETS:
        wrong = not values
        rule = "for 'in', 'notin' operators, values set can't be empty"
    elif operator in _PRESENCE:
        wrong, rule = bool(values), "values set must be empty for exists and does not exist"
    elif operator in _ORDER:
        wrong, rule = len(values) != 1, "for 'Gt', 'Lt' operators, exactly one value is required"
    else:
        wrong, rule = len(values) != 1, "exact-match compatibility requires one single value"
    problems = [field_errors.invalid(path, list(values), rule)] if wrong else []
    if operator in _ORDER:
        rule = "for 'Gt', 'Lt' operators, the value must be an integer"
        problems += [
            field_errors.invalid(path.index(i), value, rule)
            for i, value in enumerate(values)
            if parse_integer(value) is None
        ]
    return problems


def parse_integer(text: str) -> int | None:
    """The number a label's value is compared as; None unless it is a 64-bit decimal integer."""
    digits = text[1:] if text[:1] in {"+", "-"} else text
    if not digits.isdecimal() or not digits.isascii() or len(digits) > 40:
        return None
    number = int(text)
    return number if -(2**63) <= number < 2**63 else None
