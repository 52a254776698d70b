"""YAML into the JSON values it stands for, with kubectl's rules and within bounds.

The parser gives events; they are put together here, because no more than JSON is wanted of YAML: keys become strings,
aliases become copies - of which a small text can ask for billions -, a repeated key is an error with its line.
"""

from __future__ import annotations

from base64 import b64decode
from typing import Final

import yaml

from kubewire.machinery.codec.errors import MalformedYaml
from kubewire.machinery.codec.value_text import double_text
from kubewire.machinery.codec.yaml_scalars import resolve
from kubewire.machinery.json_value import JsonObject, JsonValue
from kubewire.machinery.quoting import quote

DEEPEST: Final = 500
"""Levels of nesting."""

COPIED_AT_MOST: Final = 200_000
"""Values that aliases of one text may stand for; a text itself has few values a byte."""

_TAG: Final = "tag:yaml.org,2002:"
_MERGE: Final = "<<"


def decode_yaml(data: bytes) -> list[JsonObject]:
    """All documents of a text that hold something, each a mapping.

    Raises:
        MalformedYaml: the text is no YAML, or means what JSON cannot say.
    """
    documents = []
    for number, value in enumerate(_documents(data), 1):
        if value is not None:
            if not isinstance(value, dict):
                raise MalformedYaml(f"document {number} is no mapping of fields to values")
            documents.append(value)
    return documents


def _documents(data: bytes) -> list[JsonValue]:
    builder = _Builder()
    try:
        for event in yaml.parse(data, Loader=yaml.CSafeLoader):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        raise MalformedYaml(f"yaml: {_place(error)}{error.problem or 'unknown problem parsing YAML content'}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise MalformedYaml(f"yaml: {str(error).splitlines()[0]}") from None
    return builder.documents


def _place(error: yaml.MarkedYAMLError) -> str:
    """Where, as kubectl says it: the scanner's lines count from one, the parser's from zero."""
    mark = error.problem_mark or error.context_mark
    line = 0 if mark is None else mark.line + isinstance(error, yaml.scanner.ScannerError)
    return f"line {line}: " if line else ""


class _Node:
    """A sequence or mapping that is not finished."""

    __slots__ = ("anchor", "is_mapping", "is_merging", "key", "merged", "values")

    def __init__(self, anchor: str | None, *, is_mapping: bool) -> None:
        self.anchor = anchor
        self.is_mapping = is_mapping
        self.values: JsonObject | list[JsonValue] = {} if is_mapping else []
        self.key: str | None = None
        self.is_merging = False
        self.merged: JsonObject = {}

    def finished(self) -> JsonValue:
        """Its value; what was merged in does not replace what stands there itself."""
        if isinstance(self.values, dict) and self.merged:
            return {**self.merged, **self.values}
        return self.values


class _Builder:
    """Puts events together.

    Attributes:
        documents: the values of the finished ones.
    """

    def __init__(self) -> None:
        self.documents: list[JsonValue] = []
        self._open: list[_Node] = []
        self._anchors: dict[str, JsonValue] = {}
        self._copied = 0

    def take(self, event: yaml.Event) -> None:
        """The next event of the parser."""
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            self._begin(event)
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            node = self._open.pop()
            self._put(node.finished(), node.anchor, _line(event))
        elif isinstance(event, yaml.AliasEvent):
            self._put(self._copy_of(event.anchor or ""), None, _line(event))
        elif isinstance(event, yaml.DocumentStartEvent):
            self._anchors = {}

    def _begin(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent) -> None:
        is_mapping = isinstance(event, yaml.MappingStartEvent)
        parent = self._open[-1] if self._open else None
        if parent is not None and parent.is_mapping and parent.key is None:
            raise MalformedYaml(f"yaml: line {_line(event)}: a key must be a string, a number or a boolean")
        if len(self._open) >= DEEPEST:
            raise MalformedYaml("yaml: exceeded max depth")
        self._open.append(_Node(event.anchor, is_mapping=is_mapping))

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        node = self._open[-1] if self._open else None
        value = _scalar_value(event)
        if node is not None and node.is_mapping and node.key is None:
            self._key(node, value, event)
            if event.anchor:
                self._anchors[event.anchor] = value
        else:
            self._put(value, event.anchor, _line(event))

    def _key(self, node: _Node, value: JsonValue, event: yaml.ScalarEvent) -> None:
        node.is_merging = event.implicit[0] and event.value == _MERGE
        node.key = _key_text(value, event)
        if node.key in node.values and not node.is_merging:
            problem = f"line {_line(event)}: key {quote(node.key)} already set in map"
            raise MalformedYaml(f"yaml: unmarshal errors:\n  {problem}")

    def _put(self, value: JsonValue, anchor: str | None, line: int) -> None:
        """A finished value into what it belongs to."""
        if anchor:
            self._anchors[anchor] = value
        if not self._open:
            self.documents.append(value)
            return
        node = self._open[-1]
        if isinstance(node.values, list):
            node.values.append(value)
        elif node.key is None:
            raise MalformedYaml(f"yaml: line {line}: a key must be a string, a number or a boolean")
        else:
            if node.is_merging:
                self._merge(node, value, line)
            else:
                node.values[node.key] = value
            node.key = None

    def _merge(self, node: _Node, value: JsonValue, line: int) -> None:
        for part in reversed(value) if isinstance(value, list) else [value]:
            if not isinstance(part, dict):
                raise MalformedYaml(f"yaml: line {line}: map merge requires map or sequence of maps as the value")
            node.merged |= part

    def _copy_of(self, anchor: str) -> JsonValue:
        if any(node.anchor == anchor for node in self._open):
            raise MalformedYaml(f"yaml: anchor '{anchor}' value contains itself")
        if anchor not in self._anchors:
            raise MalformedYaml(f"yaml: unknown anchor '{anchor}' referenced")
        return self._copy(self._anchors[anchor])

    def _copy(self, value: JsonValue) -> JsonValue:
        self._copied += 1
        if self._copied > COPIED_AT_MOST:
            raise MalformedYaml("yaml: document contains excessive aliasing")
        if isinstance(value, dict):
            return {key: self._copy(item) for key, item in value.items()}
        return [self._copy(item) for item in value] if isinstance(value, list) else value


def _line(event: yaml.Event) -> int:
    return 0 if event.start_mark is None else event.start_mark.line + 1


def _scalar_value(event: yaml.ScalarEvent) -> JsonValue:
    tag = (event.tag or "").removeprefix(_TAG)
    if tag == "binary":
        return _binary(event)
    if event.implicit[0] or tag in {"int", "float", "bool", "null"}:
        value = resolve(event.value)
        if isinstance(value, float) and (value != value or value in {float("inf"), float("-inf")}):  # noqa: PLR0124 - NaN
            raise MalformedYaml(f"yaml: line {_line(event)}: JSON has no {event.value}")
        return value
    return event.value


def _binary(event: yaml.ScalarEvent) -> str:
    try:
        return b64decode(event.value).decode()
    except ValueError:
        raise MalformedYaml(f"yaml: line {_line(event)}: !!binary value contains invalid base64 data") from None


def _key_text(value: JsonValue, event: yaml.ScalarEvent) -> str:
    """A key as JSON has it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        raise MalformedYaml(f"yaml: line {_line(event)}: null is no key")
    return double_text(value) if isinstance(value, float) else str(value)
