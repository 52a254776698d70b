"""Discovery describes the resource table in the forms clients read."""

from typing import Any, cast

from kubewire.apiserver.rest.discovery import Discovery
from kubewire.machinery.resources import builtin

DISCOVERY = Discovery(builtin().served(), "10.0.0.1:6443")


def document(path: str) -> dict[str, Any]:
    """A legacy document that must be there."""
    found = DISCOVERY.legacy(path)
    assert found is not None
    return found


def test_the_core_group_has_its_own_root() -> None:
    """`/api` lists the core group's versions, `/apis` all other groups, the most wanted first."""
    assert document("/api")["versions"] == ["v1"]
    assert document("/api")["serverAddressByClientCIDRs"][0]["serverAddress"] == "10.0.0.1:6443"
    names = [group["name"] for group in document("/apis")["groups"]]
    assert names[:3] == ["apiregistration.k8s.io", "apps", "events.k8s.io"]
    assert "" not in names


def test_groups_name_the_preferred_version_first() -> None:
    """Of two versions the preferred one leads."""
    group = document("/apis/autoscaling")
    assert [version["version"] for version in group["versions"]] == ["v2", "v1"]
    assert group["preferredVersion"] == {"groupVersion": "autoscaling/v2", "version": "v2"}


def test_resource_lists() -> None:
    """A group version lists resources and, after each, its subresources; foreign kinds carry their group."""
    rows = {row["name"]: row for row in document("/api/v1")["resources"]}
    assert rows["pods"]["shortNames"] == ["po"]
    assert rows["pods"]["categories"] == ["all"]
    assert rows["pods"]["singularName"] == "pod"
    assert rows["pods/status"]["verbs"] == ["get", "patch", "update"]
    assert (rows["pods/eviction"]["group"], rows["pods/eviction"]["version"]) == ("policy", "v1")
    assert "group" not in rows["pods/binding"]
    assert document("/apis/apps/v1")["groupVersion"] == "apps/v1"


def test_unknown_documents() -> None:
    """What is not served has no document."""
    for path in ("/api/v2", "/apis/nothing", "/apis/apps/v9", "/apis/apps/v1/deployments", "/else"):
        assert DISCOVERY.legacy(path) is None


def test_aggregated_discovery() -> None:
    """One document has everything, subresources inside their resource."""
    items = cast("Any", DISCOVERY.aggregated("/apis", "v2"))["items"]
    apps = next(item for item in items if item["metadata"]["name"] == "apps")
    assert apps["versions"][0]["freshness"] == "Current"
    deployments = next(row for row in apps["versions"][0]["resources"] if row["resource"] == "deployments")
    assert deployments["scope"] == "Namespaced"
    assert deployments["responseKind"] == {"group": "apps", "version": "v1", "kind": "Deployment"}
    assert [row["subresource"] for row in deployments["subresources"]] == ["scale", "status"]
    core = cast("Any", DISCOVERY.aggregated("/api", "v2beta1"))
    assert core["apiVersion"] == "apidiscovery.k8s.io/v2beta1"
    assert [item["metadata"] for item in core["items"]] == [{}]
