"""Write `clients/kubewire/machinery/codec/json_fields.tsv` from the fact tables: `python -m tools.facts.json_fields FACTS`.

What decides the JSON form of a field besides its proto type: whether Go holds it by pointer or by value, whether an
empty one is written, whether it is inlined, and its JSON name. The file holds only what differs from the rule that
the codec assumes (`kubewire.machinery.codec.fields`), one row a message; a message without exceptions has no row.
"""

from __future__ import annotations

import csv
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

TARGET = Path("clients/kubewire/machinery/codec/json_fields.tsv")
COLUMNS = ("message", "typed", "kept", "pointers", "values", "inlined", "omitted_when_zero", "renamed", "go_types")

OWN_FORM = [
    "Time",
    "MicroTime",
    "Duration",
    "FieldsV1",
    "RawExtension",
    "Unknown",
    "Quantity",
    "QuantityValue",
    "IntOrString",
    "ExtraValue",
    "Verbs",
    "JSON",
    "JSONSchemaPropsOrBool",
    "JSONSchemaPropsOrArray",
    "JSONSchemaPropsOrStringArray",
]
"""Messages whose JSON is made by hand, so that their fields have no JSON names."""

ALIASES = {
    "k8s.io.api.core.v1.List": "k8s.io.apimachinery.pkg.apis.meta.v1.List",
    "k8s.io.api.admissionregistration.v1alpha1.MatchCondition": "k8s.io.api.admissionregistration.v1.MatchCondition",
}
"""Go aliases: messages of their own on the wire, without Go fields of their own."""

BUILTIN_TYPES = {"string", "bool", "int32", "int64", "float64", "map", "interface"}
SCALARS = {
    "string": "string",
    "bool": "bool",
    "int32": "int32",
    "int64": "int64",
    "double": "float64",
    "bytes": "[]uint8",
}

Row = dict[str, str]


@dataclass(slots=True)
class Exceptions:
    """What is unusual about the fields of one message; field names are proto names, in declared order."""

    message: str
    typed: bool = False
    kept: list[str] = field(default_factory=list)
    pointers: list[str] = field(default_factory=list)
    values: list[str] = field(default_factory=list)
    inlined: list[str] = field(default_factory=list)
    omitted_when_zero: list[str] = field(default_factory=list)
    renamed: list[str] = field(default_factory=list)
    go_types: list[str] = field(default_factory=list)

    def cells(self) -> list[str]:
        """The row; empty when nothing is unusual."""
        lists = (getattr(self, name) for name in COLUMNS[2:])
        return ["typed" if self.typed else "", *(" ".join(names) for names in lists)]


def read(table: Path) -> list[Row]:
    """All rows of one table."""
    with table.open() as lines:
        return list(csv.DictReader(lines, delimiter="\t"))


def by_message(rows: list[Row]) -> dict[str, list[Row]]:
    """Rows by full message name."""
    grouped: dict[str, list[Row]] = {}
    for row in rows:
        grouped.setdefault(f"{row['proto_package']}.{row['message']}", []).append(row)
    return grouped


def go_package(proto_package: str) -> str:
    """The name Go prints before a type of this package: `v1` for `k8s.io.api.core.v1`."""
    return proto_package.rpartition(".")[2]


def printed_go_type(go_type: str, proto_package: str) -> str:
    """A type as Go prints it at run time: import aliases resolved, local names qualified."""

    def qualify(found: re.Match[str]) -> str:
        package, _, name = found[0].rpartition(".")
        if not package:
            return name if name in BUILTIN_TYPES else f"{go_package(proto_package)}.{name}"
        return f"{'v1' if package.endswith('v1') else package}.{name}"

    return re.sub(r"[A-Za-z][\w.]*", qualify, go_type.replace("[]byte", "[]uint8")).replace(
        f"{go_package(proto_package)}.uint8", "uint8"
    )


def derived_go_type(proto: Row) -> str:
    """The type Go prints if it follows from the proto type, which is what the codec assumes."""
    label, kind = proto["label"], proto["type"]
    if label == "map":
        key, value = kind.removeprefix("map<").removesuffix(">").split(",")
        return f"map[{key}]{derived_element(value)}"
    return f"[]{derived_element(kind)}" if label == "repeated" else derived_element(kind)


def derived_element(kind: str) -> str:
    """As `derived_go_type`, of one element."""
    if kind in SCALARS:
        return SCALARS[kind]
    package, _, name = kind.rpartition(".")
    return f"{go_package(package)}.{name}"


def exceptions_of(message: str, protos: list[Row], gos: list[Row]) -> Exceptions:
    """What the codec has to be told about one message."""
    found = Exceptions(message, typed=any(row["go_type"].endswith("TypeMeta") for row in gos))
    go_by_number = {row["number"]: row for row in gos if row["number"]}
    for proto in protos:
        go = go_by_number.get(proto["number"])
        if go is None:
            raise SystemExit(f"{message}.{proto['field_name']}: not among the Go fields; is it an alias?")
        note_field(found, proto, go)
    return found


def note_field(found: Exceptions, proto: Row, go: Row) -> None:
    """Enter one field into the lists it belongs to."""
    name, is_message = proto["field_name"], proto["label"] == "optional" and "." in proto["type"]
    pointer = go["pointer"] == "true"
    if go["inline"] == "true":
        found.inlined.append(name)
        return
    if go["omitempty"] != "true":
        found.kept.append(name)
    if go["omitzero"] == "true":
        found.omitted_when_zero.append(name)
    if pointer and not is_message:
        found.pointers.append(name)
    if is_message and not pointer:
        found.values.append(name)
    if go["json_name"] != name:
        found.renamed.append(f"{name}={go['json_name']}")
    printed = printed_go_type(go["go_type"], proto["proto_package"])
    if printed != derived_go_type(proto):
        found.go_types.append(f"{name}={printed}")


def main(facts: Path) -> None:
    """Write the file."""
    protos, gos = by_message(read(facts / "proto-fields.tsv")), by_message(read(facts / "go-fields.tsv"))
    lines = ["\t".join(COLUMNS)]
    for message, rows in protos.items():
        if message.rpartition(".")[2] in OWN_FORM:
            continue
        fields = [row for row in rows if row["field_name"]]
        cells = exceptions_of(message, fields, gos.get(ALIASES.get(message, message), [])).cells()
        if any(cells):
            lines.append("\t".join([message, *cells]).rstrip("\t"))
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text("\n".join(lines) + "\n")
    print(f"{len(lines) - 1} messages with exceptions")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
