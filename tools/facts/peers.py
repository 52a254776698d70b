"""Write the `.proto` files of the peers' APIs (CRI, containerd, etcd): `python -m tools.facts.peers FACTS`.

Wire packages, numbers and types are the peers' own; rows that only a later release has are left out.
"""

from __future__ import annotations

import csv
import re
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

_LATER = "head-only"
_WELL_KNOWN = {
    "google.protobuf.Any": "google/protobuf/any.proto",
    "google.protobuf.Timestamp": "google/protobuf/timestamp.proto",
    "google.protobuf.FieldMask": "google/protobuf/field_mask.proto",
    "google.protobuf.Empty": "google/protobuf/empty.proto",
    "google.protobuf.Duration": "google/protobuf/duration.proto",
    "google.rpc.Status": "google/rpc/status.proto",
}

# Proto package -> file. One file a package: each is one subject of its peer.
FILES = {
    "runtime.v1": "kubewire/cri/v1/api.proto",
    "authpb": "kubewire/etcd/auth.proto",
    "mvccpb": "kubewire/etcd/kv.proto",
    "etcdserverpb": "kubewire/etcd/rpc.proto",
    "containerd.types": "kubewire/containerd/types.proto",
    "containerd.v1.types": "kubewire/containerd/task.proto",
    "containerd.events": "kubewire/containerd/events.proto",
    "containerd.runc.v1": "kubewire/containerd/runc.proto",
    "containerd.services.containers.v1": "kubewire/containerd/containers.proto",
    "containerd.services.content.v1": "kubewire/containerd/content.proto",
    "containerd.services.events.v1": "kubewire/containerd/events_service.proto",
    "containerd.services.images.v1": "kubewire/containerd/images.proto",
    "containerd.services.leases.v1": "kubewire/containerd/leases.proto",
    "containerd.services.tasks.v1": "kubewire/containerd/tasks.proto",
    "containerd.services.version.v1": "kubewire/containerd/version.proto",
}

Row = dict[str, str]


@dataclass(slots=True)
class Scope:
    """A message (or a whole package) with what is declared inside it."""

    fields: list[Row] = field(default_factory=list)
    enums: dict[str, list[Row]] = field(default_factory=dict)
    messages: dict[str, Scope] = field(default_factory=dict)
    services: dict[str, list[Row]] = field(default_factory=dict)

    def at(self, path: list[str]) -> Scope:
        """The nested message scope at `path`, created on the way."""
        scope = self
        for name in path:
            scope = scope.messages.setdefault(name, Scope())
        return scope


def rows(table: Path) -> list[Row]:
    """Rows of a table that belong to the supported level."""
    with table.open() as lines:
        return [row for row in csv.DictReader(lines, delimiter="\t") if row.get("scope") != _LATER]


def package_of(full_name: str) -> str:
    """Longest known proto package that `full_name` stands in."""
    known = (package for package in FILES if full_name.startswith(package + "."))
    return max(known, key=len)


def read(facts: Path, peer: str, packages: dict[str, Scope]) -> None:
    """Add one peer's tables to `packages`."""
    for row in rows(facts / f"{peer}-fields.tsv"):
        scope = packages[row["proto_package"]].at(row["message"].split("."))
        if row["field_name"]:
            scope.fields.append(row)
    for row in rows(facts / f"{peer}-enums.tsv"):
        package = package_of(row["enum"])
        *outer, name = row["enum"].removeprefix(package + ".").split(".")
        packages[package].at(outer).enums.setdefault(name, []).append(row)
    for row in rows(facts / f"{peer}-services.tsv"):
        package = package_of(row["service"])
        packages[package].services.setdefault(row["service"].removeprefix(package + "."), []).append(row)


def types_in(scope: Scope) -> set[str]:
    """Every full type name mentioned in a scope."""
    found = {name for row in scope.fields for name in re.findall(r"[\w.]+", row["type"]) if "." in name}
    found |= {row[key] for methods in scope.services.values() for row in methods for key in ("request", "response")}
    for inner in scope.messages.values():
        found |= types_in(inner)
    return found


def render_field(row: Row) -> str:
    """One field line, in proto3 form."""
    label = "repeated " if row["label"] == "repeated" else ""
    return f"{label}{row['type'].replace(',', ', ')} {row['field_name']} = {row['number']};"


def render_scope(scope: Scope, indent: str) -> str:
    """Enums, messages and fields of a scope."""
    text = ""
    for name, values in scope.enums.items():
        alias = (
            "" if len({row["number"] for row in values}) == len(values) else f"{indent}  option allow_alias = true;\n"
        )
        lines = "".join(f"{indent}  {row['value_name']} = {row['number']};\n" for row in values)
        text += f"{indent}enum {name} {{\n{alias}{lines}{indent}}}\n"
    for name, inner in scope.messages.items():
        body = render_scope(inner, indent + "  ")
        text += f"{indent}message {name} {{\n{body}{indent}}}\n" if body else f"{indent}message {name} {{}}\n"
    for group, members in groupby(scope.fields, key=lambda row: row["oneof"]):
        fields = [render_field(row) for row in members]
        if group:
            text += f"{indent}oneof {group} {{\n" + "".join(f"{indent}  {line}\n" for line in fields) + f"{indent}}}\n"
        else:
            text += "".join(f"{indent}{line}\n" for line in fields)
    return text


def render_service(name: str, methods: list[Row]) -> str:
    """One service."""
    text = f"service {name} {{\n"
    for row in methods:
        ask = ("stream " if row["client_streaming"] == "true" else "") + row["request"]
        answer = ("stream " if row["server_streaming"] == "true" else "") + row["response"]
        text += f"  rpc {row['rpc']}({ask}) returns ({answer});\n"
    return text + "}\n"


def render(package: str, scope: Scope) -> str:
    """A whole file: header, imports, services, messages."""
    own = FILES[package]
    needed = {_WELL_KNOWN.get(name) or FILES[package_of(name)] for name in types_in(scope)} - {own}
    text = (
        f'// The peer\'s API as it stands on the wire: package {package}.\nsyntax = "proto3";\n\npackage {package};\n\n'
    )
    text += "".join(f'import "{path}";\n' for path in sorted(needed)) + ("\n" if needed else "")
    text += "".join(render_service(name, methods) + "\n" for name, methods in scope.services.items())
    return text + render_scope(scope, "")


def main(facts: Path, protos: Path) -> None:
    """Write every peer file below `protos`."""
    packages: dict[str, Scope] = defaultdict(Scope)
    for peer in ("cri", "containerd", "etcd"):
        read(facts, peer, packages)
    for package, scope in packages.items():
        target = protos / FILES[package]
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(render(package, scope))
    print(f"{len(packages)} peer packages")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path("protos"))
