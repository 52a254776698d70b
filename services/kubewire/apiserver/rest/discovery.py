"""Discovery: what groups, versions and resources there are, in the two forms clients ask for.

The legacy form is one document per group version; the aggregated one (apidiscovery.k8s.io) is everything at once
and carries an ETag, so that clients who know it already get 304. Documents are plain JSON values made on first
demand from the resource table, whose data thereby decides paths and discovery alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import groupby
from typing import Final

from kubewire.machinery.gvk import GroupVersion, GroupVersionKind
from kubewire.machinery.json_value import JsonArray, JsonObject
from kubewire.machinery.resources import Resource

# Groups in the order in which clients try them when a name is ambiguous; others follow by name.
_GROUP_ORDER: Final = (
    "",
    "apiregistration.k8s.io",
    "apps",
    "events.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "storage.k8s.io",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "scheduling.k8s.io",
    "coordination.k8s.io",
    "node.k8s.io",
    "discovery.k8s.io",
    "resource.k8s.io",
    "flowcontrol.apiserver.k8s.io",
    "internal.apiserver.k8s.io",
)
_ranks: Final = {group: rank for rank, group in enumerate(_GROUP_ORDER)}
_STABILITY: Final = {"": 2, "beta": 1, "alpha": 0}
_version_parts: Final = re.compile(r"v(\d+)(?:(alpha|beta)(\d+))?").fullmatch

AGGREGATED_VERSIONS: Final = ("v2", "v2beta1")


def _version_rank(version: str) -> tuple[int, int, int]:
    """Sorts versions as Kubernetes prefers them: stable before beta before alpha, newer before older."""
    match = _version_parts(version)
    if match is None:
        return (1, 0, 0)
    major, stability, minor = match.groups(default="")
    return (-_STABILITY[stability], -int(major), -int(minor or 0))


class DiscoveredVersion:
    """One version of a group, and its resources in the table's order."""

    def __init__(self, group_version: GroupVersion, resources: Iterable[Resource]) -> None:
        self.group_version: Final = group_version
        self.resources: Final = tuple(resources)

    @property
    def _named(self) -> JsonObject:
        return {"groupVersion": str(self.group_version), "version": self.group_version.version}

    def legacy(self) -> JsonObject:
        """As APIResourceList."""
        rows: JsonArray = []
        for resource in self.resources:
            rows.append(_legacy_resource(resource))
            rows.extend(_legacy_subresources(resource))
        document: JsonObject = {"kind": "APIResourceList", "apiVersion": "v1"}
        if not self.group_version.group:
            del document["apiVersion"]  # as upstream's core group has it
        return document | {"groupVersion": str(self.group_version), "resources": rows}

    def aggregated(self) -> JsonObject:
        """As APIVersionDiscovery."""
        rows: JsonArray = [_aggregated_resource(resource) for resource in self.resources]
        return {"version": self.group_version.version, "resources": rows, "freshness": "Current"}


class DiscoveredGroup:
    """One group and its versions, the preferred one first."""

    def __init__(self, name: str, versions: Sequence[DiscoveredVersion]) -> None:
        self.name: Final = name
        self.versions: Final = versions

    def legacy(self) -> JsonObject:
        """As APIGroup, without kind."""
        versions: JsonArray = [version._named for version in self.versions]  # noqa: SLF001 - of the same subject
        return {"name": self.name, "versions": versions, "preferredVersion": versions[0]}

    def aggregated(self) -> JsonObject:
        """As APIGroupDiscovery."""
        metadata: JsonObject = {"name": self.name} if self.name else {}
        return {"metadata": metadata, "versions": [version.aggregated() for version in self.versions]}


class Discovery:
    """All documents of discovery for a set of resources."""

    def __init__(self, resources: Iterable[Resource], server_address: str) -> None:
        self._resources = tuple(resources)
        self._server_address = server_address

    @cached_property
    def groups(self) -> tuple[DiscoveredGroup, ...]:
        """Groups in the order in which clients should try them."""
        ordered = sorted(self._resources, key=lambda item: (_ranks.get(item.group, len(_ranks)), item.group))
        return tuple(
            DiscoveredGroup(name, _versions(list(resources)))
            for name, resources in groupby(ordered, key=lambda item: item.group)
        )

    def legacy(self, path: str) -> JsonObject | None:
        """The document at `/api`, `/apis` and below; None where there is none."""
        match path.strip("/").split("/"):
            case ["api"]:
                return self._api_versions()
            case ["apis"]:
                return self._group_list()
            case ["api", version]:
                return self._resource_list("", version)
            case ["apis", group]:
                return self._group(group)
            case ["apis", group, version]:
                return self._resource_list(group, version)
        return None

    def aggregated(self, path: str, version: str) -> JsonObject | None:
        """APIGroupDiscoveryList of `/api` (the core group) or `/apis` (all others)."""
        is_core = path.strip("/") == "api"
        items: JsonArray = [group.aggregated() for group in self.groups if (not group.name) is is_core]
        api_version = f"apidiscovery.k8s.io/{version}"
        return {"kind": "APIGroupDiscoveryList", "apiVersion": api_version, "metadata": {}, "items": items}

    def _api_versions(self) -> JsonObject:
        versions: JsonArray = [
            version.group_version.version for group in self.groups if not group.name for version in group.versions
        ]
        address: JsonArray = [{"clientCIDR": "0.0.0.0/0", "serverAddress": self._server_address}]
        return {"kind": "APIVersions", "versions": versions, "serverAddressByClientCIDRs": address}

    def _group_list(self) -> JsonObject:
        groups: JsonArray = [group.legacy() for group in self.groups if group.name]
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}

    def _group(self, name: str) -> JsonObject | None:
        for group in self.groups:
            if group.name == name:
                return {"kind": "APIGroup", "apiVersion": "v1"} | group.legacy()
        return None

    def _resource_list(self, name: str, version: str) -> JsonObject | None:
        for group in self.groups:
            for item in group.versions:
                if item.group_version == (name, version):
                    return item.legacy()
        return None


def _versions(resources: list[Resource]) -> list[DiscoveredVersion]:
    """The versions of one group: the preferred one, then by age and stability."""
    preferred = {item.version for item in resources if item.preferred}
    names = sorted({item.version for item in resources}, key=lambda name: (name not in preferred, _version_rank(name)))
    return [
        DiscoveredVersion(GroupVersion(resources[0].group, name), (item for item in resources if item.version == name))
        for name in names
    ]


def _legacy_resource(resource: Resource) -> JsonObject:
    row: JsonObject = {
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        row["shortNames"] = list(resource.short_names)
    if resource.categories:
        row["categories"] = list(resource.categories)
    if resource.storage_hash:
        row["storageVersionHash"] = resource.storage_hash
    return row


def _legacy_subresources(resource: Resource) -> Iterable[JsonObject]:
    for name, sub in sorted(resource.subresources.items()):
        row: JsonObject = {"name": f"{resource.plural}/{name}", "singularName": "", "namespaced": resource.namespaced}
        if sub.kind.group_version != resource.group_version:
            row |= {"group": sub.kind.group, "version": sub.kind.version} if sub.kind.group else {"version": "v1"}
        yield row | {"kind": sub.kind.kind, "verbs": list(sub.verbs)}


def _aggregated_resource(resource: Resource) -> JsonObject:
    row: JsonObject = {
        "resource": resource.plural,
        "responseKind": _response_kind(resource.gvk),
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        row["shortNames"] = list(resource.short_names)
    if resource.categories:
        row["categories"] = list(resource.categories)
    subresources: JsonArray = [
        {"subresource": name, "responseKind": _response_kind(sub.kind), "verbs": list(sub.verbs)}
        for name, sub in sorted(resource.subresources.items())
    ]
    if subresources:
        row["subresources"] = subresources
    return row


def _response_kind(kind: GroupVersionKind) -> JsonObject:
    return {"group": kind.group, "version": kind.version, "kind": kind.kind}
