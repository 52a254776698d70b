"""Validation of labels and label selectors inside objects, with the paths and words of Kubernetes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from kubewire.machinery import field_errors, names
from kubewire.machinery.field_errors import FieldError
from kubewire.machinery.field_path import Path

_WITH_VALUES = frozenset({"In", "NotIn"})
_WITHOUT_VALUES = frozenset({"Exists", "DoesNotExist"})


def validate_labels(labels: Mapping[str, str], path: Path) -> list[FieldError]:
    """Keys must be qualified names and values label values; problems carry the map's own path."""
    problems: list[FieldError] = []
    for key, value in labels.items():
        problems += validate_label_key(key, path)
        problems += [field_errors.invalid(path, value, problem) for problem in names.label_value(value)]
    return problems


def validate_label_key(key: str, path: Path) -> list[FieldError]:
    """A label's key must be a qualified name."""
    return [field_errors.invalid(path, key, problem) for problem in names.qualified_name(key)]


def validate_label_selector(
    match_labels: Mapping[str, str],
    match_expressions: Iterable[tuple[str, str, Sequence[str]]],
    path: Path,
) -> list[FieldError]:
    """A LabelSelector's labels and its expressions, given as (key, operator, values)."""
    problems = validate_labels(match_labels, path.child("matchLabels"))
    for i, (key, operator, values) in enumerate(match_expressions):
        where = path.child("matchExpressions").index(i)
        problems += _validate_operator(operator, values, where)
        problems += validate_label_key(key, where.child("key"))
        for j, value in enumerate(values):
            at = where.child("values").index(j)
            problems += [field_errors.invalid(at, value, problem) for problem in names.label_value(value)]
    return problems


def _validate_operator(operator: str, values: Sequence[str], path: Path) -> list[FieldError]:
    if operator in _WITH_VALUES:
        detail = "must be specified when `operator` is 'In' or 'NotIn'"
        return [] if values else [field_errors.required(path.child("values"), detail)]
    if operator in _WITHOUT_VALUES:
        detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
        return [field_errors.forbidden(path.child("values"), detail)] if values else []
    return [field_errors.invalid(path.child("operator"), operator, "not a valid selector operator")]
