"""The table of resources: every kind Kubernetes v1.36 has, how it is named, served and stored.

The data stands in `resources.tsv` beside this file (written by `tools/facts/resources.py`); the services in
`protos/kubewire/rpc` are generated from the same table, so that faces, discovery and storage cannot disagree.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

from kubewire.machinery.gvk import GroupKind, GroupResource, GroupVersion, GroupVersionKind, GroupVersionResource

# Groups whose proto package is not `k8s.io.api.<first word of the group>`.
_PACKAGES = {
    "": "k8s.io.api.core",
    "apiextensions.k8s.io": "k8s.io.apiextensions_apiserver.pkg.apis.apiextensions",
    "apiregistration.k8s.io": "k8s.io.kube_aggregator.pkg.apis.apiregistration",
    "internal.apiserver.k8s.io": "k8s.io.api.apiserverinternal",
}


def proto_package(group: str, version: str) -> str:
    """Proto package of a group version: `apps`, `v1` -> `k8s.io.api.apps.v1`."""
    return f"{_PACKAGES.get(group) or 'k8s.io.api.' + group.partition('.')[0]}.{version}"


@dataclass(frozen=True, slots=True)
class Subresource:
    """A part of a resource with its own path: `pods/status`, `deployments/scale`."""

    name: str
    kind: GroupVersionKind
    verbs: tuple[str, ...]

    @property
    def message(self) -> str:
        """Full proto name of what is exchanged."""
        return f"{proto_package(self.kind.group, self.kind.version)}.{self.kind.kind}"


@dataclass(frozen=True, slots=True)
class Storage:
    """Where objects of a kind live in etcd. `version` is the stored group version; `ttl_seconds` 0 means for ever."""

    prefix: str
    version: GroupVersion
    encoding: str
    ttl_seconds: int


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource in one version. Compared by identity of its group, version and plural name."""

    group: str
    version: str
    kind: str
    plural: str
    singular: str = field(compare=False)
    short_names: tuple[str, ...] = field(compare=False)
    namespaced: bool = field(compare=False)
    verbs: tuple[str, ...] = field(compare=False)
    categories: tuple[str, ...] = field(compare=False)
    preferred: bool = field(compare=False)
    served: bool = field(compare=False)
    storage_hash: str = field(compare=False)
    storage: Storage | None = field(compare=False)
    subresources: Mapping[str, Subresource] = field(compare=False)

    @property
    def message(self) -> str:
        """Full proto name of the kind: `k8s.io.api.core.v1.Pod`."""
        return f"{proto_package(self.group, self.version)}.{self.kind}"

    @property
    def list_message(self) -> str:
        """Full proto name of the list kind."""
        return self.message + "List"

    @property
    def group_version(self) -> GroupVersion:
        """`apps/v1`."""
        return GroupVersion(self.group, self.version)

    @property
    def api_version(self) -> str:
        """The `apiVersion` of manifests: `v1`, `apps/v1`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def gvk(self) -> GroupVersionKind:
        """Group, version and kind."""
        return GroupVersionKind(self.group, self.version, self.kind)

    @property
    def gvr(self) -> GroupVersionResource:
        """Group, version and plural."""
        return GroupVersionResource(self.group, self.version, self.plural)

    @property
    def group_resource(self) -> GroupResource:
        """Group and plural, as error messages name a resource."""
        return GroupResource(self.group, self.plural)

    @property
    def group_kind(self) -> GroupKind:
        """Group and kind."""
        return GroupKind(self.group, self.kind)


def _words(cell: str) -> tuple[str, ...]:
    return tuple(cell.split(",")) if cell else ()


def _subresource(packed: str) -> Subresource:
    name, _, rest = packed.partition("=")
    kind, _, verbs = rest.partition(":")
    *group_version, kind_name = kind.split("/")
    version = GroupVersion.parse("/".join(group_version))
    return Subresource(name, GroupVersionKind(version.group, version.version, kind_name), _words(verbs))


def _storage(row: Mapping[str, str]) -> Storage | None:
    if not row["storage_prefix"]:
        return None
    version = GroupVersion.parse(row["stored_version"])
    return Storage(row["storage_prefix"], version, row["storage_encoding"], int(row["ttl_seconds"] or 0))


def _resource(row: Mapping[str, str]) -> Resource:
    subresources = [_subresource(packed) for packed in row["subresources"].split(";") if packed]
    return Resource(
        group=row["group"],
        version=row["version"],
        kind=row["kind"],
        plural=row["plural"],
        singular=row["singular"],
        short_names=_words(row["short_names"]),
        namespaced=row["scope"] == "Namespaced",
        verbs=_words(row["verbs"]),
        categories=_words(row["categories"]),
        preferred=bool(row["preferred"]),
        served=bool(row["served"]),
        storage_hash=row["storage_hash"],
        storage=_storage(row),
        subresources={item.name: item for item in subresources},
    )


class ResourceTable:
    """All resources, found by group, version and plural, or by group, version and kind."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self.all: tuple[Resource, ...] = tuple(resources)
        self._by_gvr = {item.gvr: item for item in self.all}
        self._by_gvk = {item.gvk: item for item in self.all}

    def by_plural(self, group: str, version: str, plural: str) -> Resource | None:
        """The resource at REST path `/apis/<group>/<version>/<plural>`, or None."""
        return self._by_gvr.get(GroupVersionResource(group, version, plural))

    def by_kind(self, group: str, version: str, kind: str) -> Resource | None:
        """The resource whose objects say this apiVersion and kind, or None."""
        return self._by_gvk.get(GroupVersionKind(group, version, kind))

    def served(self) -> tuple[Resource, ...]:
        """What a stock server enables, in discovery order."""
        return tuple(item for item in self.all if item.served)


@cache
def builtin() -> ResourceTable:
    """The table of Kubernetes' own resources."""
    text = files("kubewire.machinery").joinpath("resources.tsv").read_text()
    return ResourceTable(_resource(row) for row in csv.DictReader(text.splitlines(), delimiter="\t"))
