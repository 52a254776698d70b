"""Names of API types parse and print as Kubernetes writes them."""

import pytest

from kubewire.machinery.gvk import GroupKind, GroupResource, GroupVersion, GroupVersionKind, GroupVersionResource


def test_group_version() -> None:
    """The core group is left out of `apiVersion`."""
    assert GroupVersion.parse("v1") == ("", "v1")
    assert GroupVersion.parse("apps/v1") == ("apps", "v1")
    assert [str(GroupVersion("", "v1")), str(GroupVersion("apps", "v1"))] == ["v1", "apps/v1"]
    with pytest.raises(ValueError, match="unexpected GroupVersion string: a/b/c"):
        GroupVersion.parse("a/b/c")


def test_kinds() -> None:
    """A kind knows its version and its name in messages."""
    kind = GroupVersionKind.from_api_version("apps/v1", "Deployment")
    assert (
        kind == GroupKind("apps", "Deployment").with_version("v1") == GroupVersion("apps", "v1").with_kind("Deployment")
    )
    assert (kind.api_version, kind.group_version, str(kind.group_kind)) == (
        "apps/v1",
        ("apps", "v1"),
        "Deployment.apps",
    )
    assert GroupVersionKind("", "v1", "Pod").api_version == "v1"
    assert str(kind) == "apps/v1, Kind=Deployment"
    assert GroupKind.parse("Deployment.apps") == ("apps", "Deployment")
    assert str(GroupKind.parse("Pod")) == "Pod"


def test_resources() -> None:
    """A resource knows its version and its name in messages."""
    resource = GroupVersion("apps", "v1").with_resource("deployments")
    assert resource == GroupVersionResource("apps", "v1", "deployments")
    assert (resource.api_version, str(resource.group_resource)) == ("apps/v1", "deployments.apps")
    assert GroupVersionResource("", "v1", "pods").api_version == "v1"
    assert resource.group_version == ("apps", "v1")
    assert str(resource) == "apps/v1, Resource=deployments"
    assert GroupResource.parse("ingresses.networking.k8s.io") == ("networking.k8s.io", "ingresses")
    assert str(GroupResource.parse("pods")) == "pods"
