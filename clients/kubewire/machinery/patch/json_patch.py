"""JSON patch (RFC 6902): a list of operations that are applied one after the other, all or none.

As in Kubernetes, negative positions count from a list's end, a test for null holds where nothing is, and copies
may not let a document grow without bound.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import orjson

from kubewire.machinery import errors
from kubewire.machinery.json_value import JsonObject, JsonValue
from kubewire.machinery.patch.decoding import copied, read_json
from kubewire.machinery.quoting import quote

MAX_OPERATIONS = 10_000
MAX_COPIED_BYTES = 3 * 1024 * 1024
"""How much the copies of one patch may add up to; the limit of a request's body."""

Container: TypeAlias = "dict[str, JsonValue] | list[JsonValue]"
_ROOT = "root"


class Operation(NamedTuple):
    """One operation; `source` is the path to copy or move from, `has_value` tells null from no value."""

    op: str
    path: str
    source: str = ""
    value: JsonValue = None
    has_value: bool = False


class _DoesNotApply(Exception):
    """An operation does not fit the document."""


def decode(data: bytes) -> list[Operation]:
    """The operations of a JSON patch.

    Raises:
        StatusError: 400, if the bytes are no list of objects; 413, if there are more than 10,000.
    """
    patch = read_json(data)
    if not isinstance(patch, list):
        raise errors.bad_request("error decoding patch: expected a JSON list of operations")
    if len(patch) > MAX_OPERATIONS:
        raise errors.request_entity_too_large(
            f"The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {len(patch)}"
        )
    return [_operation(found, i) for i, found in enumerate(patch)]


def _operation(found: JsonValue, position: int) -> Operation:
    if not isinstance(found, dict):
        raise errors.bad_request(f"error decoding patch: operation {position} is no object")

    def text(key: str) -> str:
        value = found.get(key, "")
        if not isinstance(value, str):
            raise errors.bad_request(f"error decoding patch: {key} of operation {position} is no string")
        return value

    return Operation(text("op"), text("path"), text("from"), found.get("value"), "value" in found)


def apply(document: JsonObject, operations: Sequence[Operation], max_copied_bytes: int = MAX_COPIED_BYTES) -> JsonValue:
    """The document after all operations; the given one is unchanged.

    Raises:
        StatusError: 422, if one does not apply; its cause names the operation and says why.
    """
    patched = _Document({_ROOT: copied(document)}, max_copied_bytes)
    for position, operation in enumerate(operations):
        try:
            patched.apply(operation)
        except _DoesNotApply as error:
            where = f"operation {position} ({operation.op} {quote(operation.path)}): {error}"
            raise errors.request_rejected(where) from None
    return patched.root[_ROOT]


class _Document:
    """A document under change, held in a map of its own so that it can be replaced as a whole, too."""

    def __init__(self, root: JsonObject, copy_budget: int) -> None:
        self.root = root
        self._copy_budget = copy_budget
        self._operations: dict[str, Callable[[Operation], None]] = {
            "add": self._add,
            "remove": self._remove,
            "replace": self._replace,
            "move": self._move,
            "copy": self._copy,
            "test": self._test,
        }

    def apply(self, operation: Operation) -> None:
        perform = self._operations.get(operation.op)
        if perform is None:
            raise _DoesNotApply(f"Unexpected kind: {operation.op}")
        perform(operation)

    def _add(self, operation: Operation) -> None:
        _insert(*self._parent(operation.path), _value(operation))

    def _remove(self, operation: Operation) -> None:
        if not operation.path:
            raise _DoesNotApply("the whole object cannot be removed")
        _take(*self._parent(operation.path))

    def _replace(self, operation: Operation) -> None:
        parent, key = self._parent(operation.path)
        value = _value(operation)
        _get(parent, key)
        if isinstance(parent, dict):
            parent[key] = value
        else:
            parent[_position(parent, key, len(parent) - 1)] = value

    def _move(self, operation: Operation) -> None:
        if operation.path.startswith(f"{operation.source}/"):
            raise _DoesNotApply(f"{quote(operation.source)} cannot be moved into itself")
        parent, key = self._parent(operation.source)
        value = _get(parent, key)
        _take(parent, key)
        _insert(*self._parent(operation.path), value)

    def _copy(self, operation: Operation) -> None:
        value = _get(*self._parent(operation.source))
        self._copy_budget -= len(orjson.dumps(value))
        if self._copy_budget < 0:
            raise _DoesNotApply("the accumulated size increase of copy operations exceeds the limit")
        _insert(*self._parent(operation.path), copied(value))

    def _test(self, operation: Operation) -> None:
        try:
            found = _get(*self._parent(operation.path))
        except _DoesNotApply:
            if operation.value is None:
                return
            raise
        if not _is_same(found, operation.value):
            raise _DoesNotApply("testing value failed")

    def _parent(self, path: str) -> tuple[Container, str]:
        """The container a path's last part stands in, and that part."""
        if path and not path.startswith("/"):
            raise _DoesNotApply(f"path {quote(path)} must be empty or begin with '/'")
        parts = [_ROOT, *(part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:])]
        at: JsonValue = self.root
        for part in parts[:-1]:
            at = _get(_container(at), part)
        return _container(at), parts[-1]


def _container(value: JsonValue) -> Container:
    if not isinstance(value, dict | list):
        raise _DoesNotApply("doc is missing path: a parent is no object or list")
    return value


def _value(operation: Operation) -> JsonValue:
    if not operation.has_value:
        raise _DoesNotApply("missing value")
    return copied(operation.value)


def _get(parent: Container, key: str) -> JsonValue:
    if isinstance(parent, list):
        return parent[_position(parent, key, len(parent) - 1)]
    if key not in parent:
        raise _DoesNotApply(f"Missing key: {quote(key)}")
    return parent[key]


def _insert(parent: Container, key: str, value: JsonValue) -> None:
    if isinstance(parent, dict):
        parent[key] = value
    elif key == "-":
        parent.append(value)
    else:
        parent.insert(_position(parent, key, len(parent)), value)


def _take(parent: Container, key: str) -> None:
    if isinstance(parent, dict):
        if key not in parent:
            raise _DoesNotApply(f"Unable to remove nonexistent key: {quote(key)}")
        del parent[key]
    else:
        del parent[_position(parent, key, len(parent) - 1)]


def _position(items: list[JsonValue], key: str, last: int) -> int:
    """The position `key` means in a list, at most `last`."""
    digits = key.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 10) or (len(digits) > 1 and digits[0] == "0"):
        raise _DoesNotApply(f"{quote(key)} is no position in a list")
    position = int(key)
    if position < 0:
        position += last + 1
    if not 0 <= position <= last:
        raise _DoesNotApply(f"Unable to access invalid index: {key} in a list of {len(items)}")
    return position


def _is_same(left: JsonValue, right: JsonValue) -> bool:
    """JSON equality: as Python's, but true is not 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_is_same(value, right[key]) for key, value in left.items())
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_is_same, left, right))
    return left == right
