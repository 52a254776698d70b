"""JSON values as YAML, in the style kubectl prints: keys sorted, lists not indented, quotes where they are needed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import yaml

from kubewire.machinery.codec.errors import EncodeError
from kubewire.machinery.codec.value_text import double_text
from kubewire.machinery.codec.yaml_scalars import needs_quotes
from kubewire.machinery.json_value import JsonValue

_IMPLICIT: Final = (True, True)
_WIDTH: Final = 2**31 - 1
"""Lines are never folded."""


def encode_yaml(value: JsonValue) -> bytes:
    """One document, with a newline at the end.

    Raises:
        EncodeError: nested too deep to be written.
    """
    return encode_yaml_documents([value])


def encode_yaml_documents(values: Iterable[JsonValue]) -> bytes:
    """Several documents, divided by `---`."""
    try:
        return b"---\n".join(
            yaml.emit(_document(value), Dumper=yaml.CSafeDumper, allow_unicode=True, width=_WIDTH).encode()
            for value in values
        )
    except RecursionError:
        raise EncodeError("nested too deep to be written as YAML") from None


def _document(value: JsonValue) -> Iterator[yaml.Event]:
    yield yaml.StreamStartEvent()
    yield yaml.DocumentStartEvent(explicit=False)
    yield from _events(value)
    yield yaml.DocumentEndEvent(explicit=False)
    yield yaml.StreamEndEvent()


def _events(value: JsonValue) -> Iterator[yaml.Event]:
    if isinstance(value, dict):
        yield yaml.MappingStartEvent(None, None, implicit=True, flow_style=not value)
        for key in sorted(value):
            yield _string(key)
            yield from _events(value[key])
        yield yaml.MappingEndEvent()
    elif isinstance(value, list):
        yield yaml.SequenceStartEvent(None, None, implicit=True, flow_style=not value)
        for item in value:
            yield from _events(item)
        yield yaml.SequenceEndEvent()
    else:
        yield _string(value) if isinstance(value, str) else yaml.ScalarEvent(None, None, _IMPLICIT, _text(value))


def _string(text: str) -> yaml.ScalarEvent:
    style = "|" if "\n" in text else '"' if needs_quotes(text) else None
    return yaml.ScalarEvent(None, None, _IMPLICIT, text, style=style)


def _text(value: bool | int | float | None) -> str:  # noqa: FBT001, PYI041 - a JSON value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return double_text(value) if isinstance(value, float) else str(value)
