"""How kinds, files, packages and messages of the generated services are named."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from kubewire.machinery.resources import Resource

PROTOS = Path("protos")
META = "k8s.io.apimachinery.pkg.apis.meta.v1"


def snake(name: str) -> str:
    """`ReplicaSet` -> `replica_set`, `CSIDriver` -> `csi_driver`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def group_word(resource: Resource) -> str:
    """First word of the group as a folder and package name: `core`, `apps`, `rbac`."""
    return resource.message.split(".")[-3]


def package(resource: Resource) -> str:
    """Proto package of the kind's service."""
    return f"kubewire.rpc.{group_word(resource)}.{resource.version}"


def path(resource: Resource) -> Path:
    """Where the kind's service stands."""
    return PROTOS / "kubewire/rpc" / group_word(resource) / resource.version / f"{snake(resource.kind)}_service.proto"


def plural(resource: Resource) -> str:
    """The kind's plural in upper camel case, for method names: `EndpointSlices`, `NetworkPolicies`.

    `Endpoints` is its own plural; it gets a name that can be told from the singular.
    """
    singular = resource.kind.lower()
    if resource.plural == singular:
        return resource.kind + "Objects"
    if resource.plural.startswith(singular):
        return resource.kind + resource.plural[len(singular) :]
    return resource.kind[:-1] + "ies"


@cache
def declared_in() -> dict[str, str]:
    """Full message name -> proto file, read from the message files themselves."""
    found: dict[str, str] = {}
    for file in sorted((PROTOS / "kubewire/api").rglob("*.proto")):
        text = file.read_text()
        name = re.search(r"^package ([\w.]+);", text, re.MULTILINE)
        if name:
            for message in re.findall(r"^message (\w+)", text, re.MULTILINE):
                found[f"{name[1]}.{message}"] = str(file.relative_to(PROTOS))
    return found
