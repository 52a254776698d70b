"""Write `protos/` messages from a folder of wire-fact tables: `python -m tools.facts.messages FACTS`.

Run once per supported Kubernetes release. The resulting `.proto` files are the project's own form of the
facts; `tests/conformance/wire` holds them against a compact copy of the tables, field by field.
"""

from __future__ import annotations

import csv
import re
import sys
from collections import OrderedDict, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tools.facts.subjects import FILE_RULES, directory_of

HEADER = '// {title}\n//\n// Names, numbers and types are those of Kubernetes v1.36; see docs/adr for the layout.\nsyntax = "proto2";\n\npackage {package};\n'


@dataclass(slots=True)
class Field:
    """One field as the tables give it; `type` is a scalar, a full message name or `map<K,V>`."""

    name: str
    number: int
    label: str
    type: str


@dataclass(slots=True)
class Package:
    """Messages of one proto package, by name, in table order."""

    name: str
    messages: OrderedDict[str, list[Field]] = field(default_factory=OrderedDict)

    def references(self, message: str) -> Iterable[str]:
        """Names of messages of this package that `message` mentions."""
        for item in self.messages[message]:
            for name in re.findall(r"[\w.]+", item.type):
                short = name.removeprefix(self.name + ".")
                if short != name and short in self.messages:
                    yield short


def read_packages(table: Path) -> dict[str, Package]:
    """The table `proto-fields.tsv` as packages."""
    packages: dict[str, Package] = {}
    with table.open() as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            package = packages.setdefault(row["proto_package"], Package(row["proto_package"]))
            fields = package.messages.setdefault(row["message"], [])
            if row["field_name"]:
                fields.append(Field(row["field_name"], int(row["number"]), row["label"], row["type"]))
    return packages


def roots(package: Package) -> list[str]:
    """Kinds that have a list message: each gets a file of its own."""
    return [name[:-4] for name in package.messages if name.endswith("List") and name[:-4] in package.messages]


def owners(package: Package) -> dict[str, set[str]]:
    """For each message the root kinds that reach it without passing through another root."""
    kinds = roots(package)
    result: dict[str, set[str]] = defaultdict(set)
    for kind in kinds:
        pending, seen = [kind, kind + "List"], set()
        while pending:
            name = pending.pop()
            if name not in seen:
                seen.add(name)
                result[name].add(kind)
                pending += [other for other in package.references(name) if other not in kinds]
    return result


def snake(name: str) -> str:
    """`HTTPGetAction` -> `http_get_action`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def file_of(package: Package, message: str, owned: dict[str, set[str]]) -> str:
    """Subject file (without directory) of a message: a rule by hand first, then the one kind that owns it."""
    for pattern, subject in FILE_RULES.get(package.name, ()):
        if re.fullmatch(pattern, message):
            return subject
    if len(owned[message]) == 1:
        return snake(next(iter(owned[message])))
    raise SystemExit(f"no subject for {package.name}.{message}: add a rule to tools/facts/subjects.py")


class Layout:
    """Where each message stands: full message name -> proto file path."""

    def __init__(self, packages: dict[str, Package]) -> None:
        self.files: dict[str, dict[str, list[str]]] = {}
        self.path: dict[str, str] = {}
        for package in packages.values():
            owned = owners(package)
            for message in package.messages:
                path = f"kubewire/api/{directory_of(package.name)}/{file_of(package, message, owned)}.proto"
                self.path[f"{package.name}.{message}"] = path
                self.files.setdefault(path, {"package": [package.name], "messages": []})["messages"].append(message)


def imports_of(fields: Iterable[Field], own_path: str, layout: Layout) -> set[str]:
    """Proto files that these fields need."""
    names = (name for item in fields for name in re.findall(r"[\w.]+", item.type))
    return {layout.path[name] for name in names if name in layout.path} - {own_path}


def render_field(item: Field, names: dict[str, str]) -> str:
    """One field line; references within the package lose their prefix."""
    kind = re.sub(r"[\w.]+", lambda found: names.get(found[0], found[0]), item.type).replace(",", ", ")
    label = "" if item.label == "map" else item.label + " "
    return f"  {label}{kind} {item.name} = {item.number};\n"


def render_file(path: str, package: Package, messages: list[str], layout: Layout) -> str:
    """A whole proto file."""
    short = {f"{package.name}.{name}": name for name in package.messages}
    title = f"{Path(path).stem.replace('_', ' ').capitalize()} of {package.name}."
    text = HEADER.format(title=title, package=package.name)
    fields = [item for name in messages for item in package.messages[name]]
    needed = sorted(imports_of(fields, path, layout))
    text += "".join(["\n"] + [f'import "{name}";\n' for name in needed]) if needed else ""
    for name in messages:
        body = "".join(render_field(item, short) for item in package.messages[name])
        text += f"\nmessage {name} {{\n{body}}}\n" if body else f"\nmessage {name} {{}}\n"
    return text


def main(facts: Path, protos: Path) -> None:
    """Write every message file below `protos`."""
    packages = read_packages(facts / "proto-fields.tsv")
    layout = Layout(packages)
    for path, content in layout.files.items():
        target = protos / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(render_file(path, packages[content["package"][0]], content["messages"], layout))
    print(f"{len(layout.path)} messages in {len(layout.files)} files")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path("protos"))
