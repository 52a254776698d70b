"""Names of API types: group, version, kind, resource, and their usual pairings.

All are NamedTuples: hashable, comparable, cheap to make, good as dictionary keys. The core group is the
empty string. `str()` gives the forms Kubernetes prints in messages (`deployments.apps`, `Deployment.apps`).
"""

from __future__ import annotations

from typing import NamedTuple


class GroupResource(NamedTuple):
    """A resource without its version, e.g. `deployments.apps`; what error messages name."""

    group: str
    resource: str

    def __str__(self) -> str:
        return f"{self.resource}.{self.group}" if self.group else self.resource

    @classmethod
    def parse(cls, text: str) -> GroupResource:
        """`deployments.apps` or `pods`; everything after the first dot is the group."""
        resource, _, group = text.partition(".")
        return cls(group, resource)


class GroupKind(NamedTuple):
    """A kind without its version, e.g. `Deployment.apps`."""

    group: str
    kind: str

    def __str__(self) -> str:
        return f"{self.kind}.{self.group}" if self.group else self.kind

    @classmethod
    def parse(cls, text: str) -> GroupKind:
        """`Deployment.apps` or `Pod`; everything after the first dot is the group."""
        kind, _, group = text.partition(".")
        return cls(group, kind)

    def with_version(self, version: str) -> GroupVersionKind:
        """The kind in one version of its group."""
        return GroupVersionKind(self.group, version, self.kind)


class GroupVersion(NamedTuple):
    """An API version as `apiVersion` writes it: `apps/v1`, or `v1` for the core group."""

    group: str
    version: str

    def __str__(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @classmethod
    def parse(cls, text: str) -> GroupVersion:
        """Raises ValueError when there is more than one slash."""
        match text.split("/"):
            case [version]:
                return cls("", version)
            case [group, version]:
                return cls(group, version)
        raise ValueError(f"unexpected GroupVersion string: {text}")

    def with_kind(self, kind: str) -> GroupVersionKind:
        """A kind of this version."""
        return GroupVersionKind(self.group, self.version, kind)

    def with_resource(self, resource: str) -> GroupVersionResource:
        """A resource of this version."""
        return GroupVersionResource(self.group, self.version, resource)


class GroupVersionKind(NamedTuple):
    """What `apiVersion` and `kind` of a manifest name together."""

    group: str
    version: str
    kind: str

    def __str__(self) -> str:
        return f"{self.group}/{self.version}, Kind={self.kind}"

    @classmethod
    def from_api_version(cls, api_version: str, kind: str) -> GroupVersionKind:
        """From the two fields of a manifest; raises ValueError when `api_version` is malformed."""
        group, version = GroupVersion.parse(api_version)
        return cls(group, version, kind)

    @property
    def api_version(self) -> str:
        """As `apiVersion` writes it: `apps/v1` or `v1`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def group_version(self) -> GroupVersion:
        """Group and version alone."""
        return GroupVersion(self.group, self.version)

    @property
    def group_kind(self) -> GroupKind:
        """The kind in whatever version."""
        return GroupKind(self.group, self.kind)


class GroupVersionResource(NamedTuple):
    """What a request's path names: `/apis/apps/v1/.../deployments`."""

    group: str
    version: str
    resource: str

    def __str__(self) -> str:
        return f"{self.group}/{self.version}, Resource={self.resource}"

    @property
    def api_version(self) -> str:
        """As `apiVersion` writes it: `apps/v1` or `v1`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def group_version(self) -> GroupVersion:
        """Group and version alone."""
        return GroupVersion(self.group, self.version)

    @property
    def group_resource(self) -> GroupResource:
        """The resource in whatever version."""
        return GroupResource(self.group, self.resource)
