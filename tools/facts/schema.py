"""Write `clients/kubewire/machinery/schema/definitions.tsv`: `python -m tools.facts.schema FACTS`.

One line a definition, sorted by name: the OpenAPI definition name, a tab, and compact JSON with short keys, so
that a process can index all lines at once and read only the definitions it meets. Of a definition:

    t  type                    f  format                o  oneOf
    g  group_version_kind, each as "group/version/Kind"
    q  required field names    m  map type              u  unions
    v  what the v2 document says instead                x  fields, by name

Of a field, of an array's items (`i`) and of a map's values (`a`):

    t  type      f  format     r  referenced definition     d  default     e  enum
    i  items     a  values     l  list type                 k  list map keys
    m  map type  s  patch strategy                          p  patch merge key
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TypeAlias

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"
Facts: TypeAlias = "dict[str, Json]"

TARGET = Path("clients/kubewire/machinery/schema/definitions.tsv")

NODE_KEYS = {
    "type": "t",
    "format": "f",
    "ref": "r",
    "default": "d",
    "enum": "e",
    "x-kubernetes-list-type": "l",
    "x-kubernetes-list-map-keys": "k",
    "x-kubernetes-map-type": "m",
    "x-kubernetes-patch-strategy": "s",
    "x-kubernetes-patch-merge-key": "p",
}
NESTED_KEYS = {"items": "i", "additionalProperties": "a"}
DEFINITION_KEYS = {
    "type": "t",
    "format": "f",
    "oneOf": "o",
    "required": "q",
    "x-kubernetes-map-type": "m",
    "x-kubernetes-unions": "u",
    "v2": "v",
}


def pack_node(facts: Facts) -> Facts:
    """A field, items or values in our form; an unknown fact fails instead of being lost."""
    packed: Facts = {}
    for key, value in facts.items():
        if key in NESTED_KEYS:
            assert isinstance(value, dict)
            packed[NESTED_KEYS[key]] = pack_node(value)
        else:
            packed[NODE_KEYS[key]] = value
    return packed


def pack_kinds(kinds: Json) -> list[Json]:
    """`group/version/Kind`, the group empty for core."""
    assert isinstance(kinds, list)
    return [
        "/".join(str(kind[part]) for part in ("group", "version", "kind")) for kind in kinds if isinstance(kind, dict)
    ]


def pack_definition(facts: Facts) -> Facts:
    """A definition in our form."""
    packed: Facts = {}
    for key, value in facts.items():
        if key == "fields":
            assert isinstance(value, dict)
            packed["x"] = {name: pack_node(field) for name, field in value.items() if isinstance(field, dict)}
        elif key == "group_version_kind":
            packed["g"] = pack_kinds(value)
        elif key != "name":
            packed[DEFINITION_KEYS[key]] = value
    return packed


def convert(lines: list[str]) -> str:
    """All definitions in our form, sorted by name."""
    definitions = {facts["name"]: pack_definition(facts) for facts in map(json.loads, lines)}
    return "".join(
        f"{name}\t{json.dumps(definitions[name], separators=(',', ':'), ensure_ascii=False)}\n"
        for name in sorted(definitions)
    )


def main() -> None:
    """Convert the table in the folder given on the command line."""
    lines = (Path(sys.argv[1]) / "schema-facts.jsonl").read_text().splitlines()
    TARGET.write_text(convert(lines))


if __name__ == "__main__":
    main()
