"""Kubernetes' strategic merge patch: a merge patch that knows from the schema how each list and map merges.

Besides values, a patch holds directives:

    $patch: replace | delete            on a map or a list's item: replace it, or remove it
    $patch: merge                       on a map: merge it, as without the directive
    $retainKeys: [names]                on a map: drop all other fields
    $deleteFromPrimitiveList/x: [...]   remove these from the list of plain values x
    $setElementOrder/x: [...]           put the list x into this order

Patches that do not fit the schema fail with the code Kubernetes gives them, which for some is 500 without a reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol, TypeAlias

import orjson

from kubewire.machinery import errors
from kubewire.machinery.errors import Reason, StatusError
from kubewire.machinery.json_value import JsonObject, JsonValue
from kubewire.machinery.patch import merge_patch
from kubewire.machinery.patch.decoding import copied

DIRECTIVE = "$patch"
RETAIN_KEYS = "$retainKeys"
DELETE_FROM = "$deleteFromPrimitiveList"
SET_ORDER = "$setElementOrder"

decode = merge_patch.decode

Identify: TypeAlias = Callable[[JsonValue], object]


class PatchSchema(Protocol):
    """What a strategic merge patch must know of a type."""

    @property
    def name(self) -> str:
        """The type's name, for messages."""

    def field(self, name: str) -> PatchField:
        """How a field merges.

        Raises:
            LookupError: the type has no such field.
        """


class PatchField(Protocol):
    """How a field merges."""

    @property
    def merges(self) -> bool:
        """Whether lists are merged item by item; otherwise they are replaced."""

    @property
    def replaces(self) -> bool:
        """Whether maps are replaced as a whole."""

    @property
    def merge_key(self) -> str:
        """The field that identifies a list's item; empty for lists of plain values."""

    @property
    def below(self) -> PatchSchema:
        """The type of the field, or of its list's items."""


def apply(document: JsonObject, patch: JsonObject, schema: PatchSchema) -> JsonObject:
    """The document with the patch merged in; both are left unchanged.

    Raises:
        StatusError: 400 or 422 for directives that are no such, 500 without reason for what the schema refuses.
    """
    return _merge_map(document, patch, schema)


def _refused(why: str) -> StatusError:
    return StatusError(500, Reason.UNKNOWN, why)


def _merge_map(original: JsonObject, patch: JsonObject, schema: PatchSchema) -> JsonObject:
    if DIRECTIVE in patch:
        if patch[DIRECTIVE] != "merge":
            return _directed(patch)
        patch = {key: value for key, value in patch.items() if key != DIRECTIVE}
    merged, rest = _retained(original, patch)
    merged, rest = _ordered(merged, rest, schema)
    for key, value in rest.items():
        if key.startswith(DELETE_FROM):
            _delete_from_list(merged, _target(key, DELETE_FROM), value)
        elif value is None:
            merged.pop(key, None)
        else:
            _merge_value(merged, key, value, schema)
    return merged


def _directed(patch: JsonObject) -> JsonObject:
    if patch[DIRECTIVE] == "replace":
        return {key: value for key, value in patch.items() if key != DIRECTIVE}
    if patch[DIRECTIVE] == "delete":
        return {}
    raise _refused(f"unknown patch type: {patch[DIRECTIVE]} in map: {_text(patch)}")


def _merge_value(merged: JsonObject, key: str, value: JsonValue, schema: PatchSchema) -> None:
    present = merged.get(key)
    if isinstance(present, dict) and isinstance(value, dict):
        field = _field(schema, key)
        merged[key] = _without_nulls(value) if field.replaces else _merge_map(present, value, field.below)
    elif isinstance(present, list) and isinstance(value, list):
        field = _field(schema, key)
        merged[key] = _merge_list(present, value, field) if field.merges else copied(value)
    else:
        kept = _without_directives(_without_nulls(value))
        if kept is not None:
            merged[key] = kept


def _field(schema: PatchSchema, key: str) -> PatchField:
    try:
        return schema.field(key)
    except LookupError:
        raise _refused(f'unable to find api field in struct {schema.name} for the json field "{key}"') from None


def _retained(original: JsonObject, patch: JsonObject) -> tuple[JsonObject, JsonObject]:
    """The original with the fields `$retainKeys` lists, and the patch without that directive."""
    if RETAIN_KEYS not in patch:
        return dict(original), patch
    names = patch[RETAIN_KEYS]
    rest = {key: value for key, value in patch.items() if key != RETAIN_KEYS}
    if not isinstance(names, list):
        raise errors.bad_request("invalid patch format of retainKeys")
    for key, value in rest.items():
        if value is not None and key not in names and not key.startswith((DELETE_FROM, SET_ORDER)):
            raise errors.request_rejected("patch content doesn't match retainKeys list")
    return {key: value for key, value in original.items() if key in names}, rest


def _target(key: str, prefix: str) -> str:
    directive, slash, name = key.partition("/")
    if directive != prefix or not slash:
        raise errors.bad_request(
            f"invalid patch format of {'primitive list' if prefix == DELETE_FROM else 'setElementOrder list'}"
        )
    return name


def _delete_from_list(merged: JsonObject, name: str, values: JsonValue) -> None:
    present = merged.get(name)
    if isinstance(present, list) and isinstance(values, list):
        merged[name] = [item for item in present if item not in values]


def _ordered(original: JsonObject, patch: JsonObject, schema: PatchSchema) -> tuple[JsonObject, JsonObject]:
    """The original with the lists merged whose order the patch sets, and the rest of the patch."""
    merged, rest = dict(original), dict(patch)
    for key in [key for key in patch if key.startswith(SET_ORDER)]:
        order = rest.pop(key)
        name = _target(key, SET_ORDER)
        present, change = merged.get(name), rest.get(name)
        if not isinstance(order, list) or not all(part is None or isinstance(part, list) for part in (present, change)):
            raise errors.bad_request("invalid patch format of setElementOrder list")
        rest.pop(name, None)
        if isinstance(present, list) or isinstance(change, list):
            merged[name] = _merge_in_order(_list(present), _list(change), order, _field(schema, name))
    return merged, rest


def _list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []


def _merge_in_order(
    present: list[JsonValue], change: list[JsonValue], order: list[JsonValue], field: PatchField
) -> list[JsonValue]:
    identify = _identify_by(field.merge_key)
    _check_order(change, order, identify)
    if not present:
        merged = _list(_without_directives(change))
    elif not change:
        merged = present
    elif field.merges:
        merged = _merge_list(present, change, field)
    else:
        merged = _list(copied(change))
    return _in_order(merged, order, present, identify)


def _check_order(change: list[JsonValue], order: list[JsonValue], identify: Identify) -> None:
    """The patch's items must stand in the order it sets, apart from those it deletes."""
    wanted = iter([identify(item) for item in order])
    kept = [item for item in change if not (isinstance(item, dict) and DIRECTIVE in item)]
    if order and not all(identify(item) in wanted for item in kept):
        raise _refused(f"The order in patch list:\n{_text(change)}\n doesn't match {SET_ORDER} list:\n{_text(order)}\n")


def _identify_by(merge_key: str) -> Identify:
    def identify(item: JsonValue) -> object:
        if not merge_key:
            return _hashable(item)
        if not isinstance(item, dict) or merge_key not in item:
            raise _refused(f"map: {_text(item)} does not contain declared merge key: {merge_key}")
        return _hashable(item[merge_key])

    return identify


def _hashable(value: JsonValue) -> object:
    return _text(value) if isinstance(value, dict | list) else value


def _merge_list(original: list[JsonValue], patch: list[JsonValue], field: PatchField) -> list[JsonValue]:
    kinds = {
        dict if isinstance(item, dict) else list if isinstance(item, list) else str for item in (*original, *patch)
    }
    if list in kinds:
        raise errors.request_rejected("lists of lists are not supported")
    if len(kinds) > 1:
        raise _refused("elements of a list must all be maps or all be plain values")
    if kinds == {dict}:
        return _merge_maps(original, patch, field)
    identify = _identify_by("")
    return _in_order(_unique([*original, *patch], identify), patch, original, identify)


def _merge_maps(original: list[JsonValue], patch: list[JsonValue], field: PatchField) -> list[JsonValue]:
    if not field.merge_key:
        raise _refused(f"cannot merge lists without merge key for {field.below.name}")
    identify = _identify_by(field.merge_key)
    kept, changes = _after_directives(original, patch, identify)
    if changes is None:
        return kept
    merged = list(kept)
    for change in changes:
        wanted = identify(change)
        at = next((i for i, item in enumerate(merged) if identify(item) == wanted), None)
        before = None if at is None else merged[at]
        if at is not None and isinstance(before, dict) and isinstance(change, dict):
            merged[at] = _merge_map(before, change, field.below)
        else:
            merged.append(_without_directives(_without_nulls(change)))
    return _in_order(merged, changes, kept, identify)


def _after_directives(
    original: list[JsonValue], patch: list[JsonValue], identify: Identify
) -> tuple[list[JsonValue], list[JsonValue] | None]:
    """What the items' `$patch` leaves of the original, and the changes besides; None if those replace it."""
    kept, changes, is_replaced = list(original), list[JsonValue](), False
    for item in patch:
        directive = item.get(DIRECTIVE) if isinstance(item, dict) else None
        if directive is None:
            changes.append(item)
        elif directive == "delete":
            unwanted = identify(item)
            kept = [other for other in kept if identify(other) != unwanted]
        elif directive == "replace":
            is_replaced = True
        elif directive == "merge":
            raise _refused("merging lists cannot yet be specified in the patch")
        else:
            raise _refused(f"unknown patch type: {directive} in map: {_text(item)}")
    return (changes, None) if is_replaced else (kept, changes)


def _unique(items: Iterable[JsonValue], identify: Identify) -> list[JsonValue]:
    return list({identify(item): item for item in items}.values())


def _in_order(
    merged: list[JsonValue], order: list[JsonValue], server_order: list[JsonValue], identify: Identify
) -> list[JsonValue]:
    """Items named in `order` in that order, and the server's others between them as close as before."""
    wanted = {identify(item): i for i, item in reversed(list(enumerate(order)))}
    known = {identify(item): i for i, item in reversed(list(enumerate(server_order)))}
    patched = sorted((item for item in merged if identify(item) in wanted), key=lambda item: wanted[identify(item)])
    others = sorted(
        (item for item in merged if identify(item) not in wanted), key=lambda item: known.get(identify(item), -1)
    )
    placed: list[JsonValue] = []
    for item in patched:
        place = known.get(identify(item))
        while others and place is not None and known.get(identify(others[0]), place) < place:
            placed.append(others.pop(0))
        placed.append(item)
    return placed + others


def _without_nulls(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return {key: _without_nulls(below) for key, below in value.items() if below is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def _without_directives(value: JsonValue) -> JsonValue:
    """The value without maps that carry `$patch`; None if it is one itself."""
    if isinstance(value, dict):
        if DIRECTIVE in value:
            return None
        cleaned = {key: _without_directives(below) for key, below in value.items()}
        return {key: below for key, below in cleaned.items() if below is not None or value[key] is None}
    if isinstance(value, list):
        return [item for item in map(_without_directives, value) if item is not None]
    return value


def _text(value: JsonValue) -> str:
    return orjson.dumps(value).decode()
