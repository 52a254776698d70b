"""What validation says of broken objects, word for word: hundreds of cases that are data (tests/data/validation)."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import cast

import pytest
import yaml

from kubewire.machinery.json_value import JsonValue
from tests.unit.apiserver.validation.objects import Change, problems_of, stored, update_problems

DATA = Path(__file__).parents[3] / "data" / "validation"


class Loader(yaml.SafeLoader):
    """YAML with `!times [text, count]` for long texts."""


def times(loader: Loader, node: yaml.SequenceNode) -> str:
    """A text that repeats."""
    text, count = loader.construct_sequence(node)
    return cast("str", text) * cast("int", count)


Loader.add_constructor("!times", times)


def cases() -> Iterator[object]:
    """Every case of every file: kind, stored object's changes or None, way of updating, change, texts."""
    for path in sorted(DATA.glob("*.yaml")):
        groups = yaml.load(path.read_text(), Loader)
        for group in groups:
            for number, case in enumerate(group["cases"]):
                name = f"{path.stem}-{group['kind'].rpartition(' ')[2]}-{group.get('via', '')}{number}"
                old = group.get("old")
                values = (group["kind"], old, group.get("via", ""), case["give"], case["says"])
                yield pytest.param(*values, id=name)


def expanded(change: Change) -> Change:
    """`container` stands for the fields of a pod's only container."""
    if "container" not in change:
        return change
    fields = cast("Mapping[str, JsonValue]", change["container"])
    return {"spec": {"containers": [{"name": "c", "image": "x", **fields}]}}


def is_said(actual: str, expected: str) -> bool:
    """Whether a text is the expected one, or begins with what stands before three dots."""
    return actual.startswith(expected[:-3]) if expected.endswith("...") else actual == expected


@pytest.mark.parametrize(("kind", "old", "via", "change", "expected"), list(cases()))
def test_says(kind: str, old: Sequence[Change] | None, via: str, change: Change, expected: Sequence[str]) -> None:
    """All that is wrong is named, with its path, and nothing else is; maps have no order."""
    if old is None:
        actual = problems_of(kind, expanded(change))
    else:
        actual = update_problems(kind, stored(kind, *map(expanded, old)), expanded(change), via=via)
    pairs = zip(sorted(actual), sorted(expected), strict=False)
    assert len(actual) == len(expected), actual
    assert [pair for pair in pairs if not is_said(*pair)] == []
