"""Which simulated objects a selection means. Fields are read at any dotted path, where a real server offers a few."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kubewire.machinery import errors
from kubewire.machinery.selectors import fields, labels
from kubewire.machinery.selectors.requirements import SelectorError

Object = Any
"""A message of any kind."""


def matcher(label_selector: str, field_selector: str) -> Callable[[Object], bool]:
    """Whether an object is selected.

    Raises:
        StatusError: 400, a selector is malformed.
    """
    try:
        by_labels, by_fields = labels.parse(label_selector), fields.parse(field_selector)
    except SelectorError as error:
        raise errors.bad_request(str(error)) from None

    def matches(obj: Object) -> bool:
        return by_labels.matches(obj.metadata.labels) and by_fields.matches(_read(obj, by_fields.fields))

    return matches


def _read(obj: Object, paths: tuple[str, ...]) -> Mapping[str, str]:
    return {path: _value(obj, path) for path in paths}


def _value(obj: Object, path: str) -> str:
    for name in path.split("."):
        obj = getattr(obj, name)
    return str(obj).lower() if isinstance(obj, bool) else str(obj)
