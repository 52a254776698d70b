"""Every rule of defaults holds at every place where its type lies: in pods, in templates of all workloads, in volumes.

The rules and the places are data (tests/data/defaults); a case is put into an otherwise empty object of each kind.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import cast

import pytest
import yaml
from google.protobuf.message import Message

from kubewire.apiserver.defaults.table import DEFAULTS, apply_kind_defaults
from kubewire.apiserver.strategy.metadata import snapshot
from kubewire.machinery.codec.decode import decode
from kubewire.machinery.codec.encode import to_dict
from kubewire.machinery.codec.stored_form import restore
from kubewire.machinery.json_value import JsonObject, JsonValue
from kubewire.machinery.messages import message_class
from kubewire.machinery.resources import proto_package

DATA = Path(__file__).parents[2] / "data" / "defaults"
RULES = cast("Mapping[str, Mapping[str, list[list[JsonValue]]]]", yaml.safe_load((DATA / "rules.yaml").read_text()))
PLACES = cast("Mapping[str, Mapping[str, str]]", yaml.safe_load((DATA / "places.yaml").read_text()))
KINDS = {f"{group}/{version} {kind}".removeprefix("/"): (group, version, kind) for group, version, kind in DEFAULTS}
# Kinds without defaults whose data could be mistaken for an omission.
BARE = {"v1 ConfigMap": ("", "v1", "ConfigMap")}
CASES = [(kind, field) for kind, fields in RULES.items() for field in fields]
ABSENT = "absent"

steps = re.compile(r"\.?([^.\[\]]+)|\[([^\]]+)\]").findall


def places_of(wanted: str) -> Iterator[tuple[tuple[str, str, str], str]]:
    """The kinds a type lies in, each with its path there."""
    for root, kind in {**KINDS, **BARE}.items():
        yield from ((kind, path) for name, path in within(root, "") if name == wanted)


def within(name: str, path: str) -> Iterator[tuple[str, str]]:
    """A type at a path, and all types inside it."""
    yield name, path
    for inner, type_name in PLACES.get(name, {}).items():
        yield from within(type_name, f"{path}.{inner}".removeprefix("."))


def embedded(fragment: JsonValue, path: str) -> JsonObject:
    """An object that holds `fragment` at `path` and nothing else."""
    value = fragment
    for name, bracket in reversed(steps(path)):
        value = [value] if bracket == "*" else {name or bracket: value}
    return cast("JsonObject", value)


def found(value: JsonValue, path: str) -> JsonValue:
    """What lies at `path`; ABSENT if nothing does."""
    for name, bracket in steps(path):
        if bracket == "*":
            assert isinstance(value, list)
            value = value[0]
        else:
            key = name or bracket
            if not isinstance(value, dict) or key not in value:
                return ABSENT
            value = value[key]
    return value


def default(kind: tuple[str, str, str], obj: JsonObject) -> JsonObject:
    """The object with defaults, as JSON."""
    group, version, name = kind
    message = decode(obj, message_type(group, version, name))
    apply_kind_defaults(kind, message)
    defaulted = snapshot(message)
    restore(message)
    assert message == defaulted, "defaults are in stored form"
    return to_dict(defaulted)


@cache
def message_type(group: str, version: str, name: str) -> type[Message]:
    """The message of a kind."""
    return message_class(f"{proto_package(group, version)}.{name}")


@pytest.mark.parametrize(("name", "field"), CASES)
def test_rule_holds_everywhere(name: str, field: str) -> None:
    """A field that was left out becomes its default, and one that was given stays, wherever the type lies."""
    places = list(places_of(name))
    assert places
    for kind, path in places:
        for given, expected in RULES[name][field]:
            result = default(kind, embedded(given, path))
            assert found(result, f"{path}.{field}".removeprefix(".")) == expected, (kind, path, given)


def test_every_kind_with_defaults_is_covered() -> None:
    """No kind's function goes untested: each has a rule of its own or a type with rules inside."""
    covered = {root for root in KINDS if any(name in RULES for name, _ in within(root, ""))}
    assert covered == set(KINDS)
