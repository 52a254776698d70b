"""The schema is packed without losing a fact."""

import json

import pytest

from tools.facts import schema


def test_packing() -> None:
    """Facts get short keys, definitions are sorted, and every line stands for itself."""
    lines = [
        json.dumps(
            {
                "name": "b",
                "type": "object",
                "required": ["x"],
                "group_version_kind": [{"group": "", "version": "v1", "kind": "B"}],
                "fields": {
                    "x": {
                        "type": "array",
                        "x-kubernetes-list-type": "map",
                        "x-kubernetes-list-map-keys": ["k"],
                        "items": {"ref": "a"},
                    },
                    "y": {"type": "object", "additionalProperties": {"type": "string", "default": ""}},
                },
            }
        ),
        json.dumps({"name": "a", "type": "string", "format": "date-time"}),
    ]
    assert schema.convert(lines) == (
        'a\t{"t":"string","f":"date-time"}\n'
        'b\t{"t":"object","q":["x"],"g":["/v1/B"],"x":{"x":{"t":"array","l":"map","k":["k"],"i":{"r":"a"}},'
        '"y":{"t":"object","a":{"t":"string","d":""}}}}\n'
    )


def test_unknown_facts_are_not_lost() -> None:
    """A fact nobody has thought of stops the conversion."""
    with pytest.raises(KeyError):
        schema.convert([json.dumps({"name": "a", "x-kubernetes-new": True})])
