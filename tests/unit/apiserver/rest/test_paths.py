"""Paths name targets by Kubernetes' rules."""

import pytest

from kubewire.apiserver.rest.paths import Paths, Target
from kubewire.machinery.resources import builtin

PATHS = Paths(builtin().served())


def named(target: Target | None) -> tuple[str, str, str, str] | None:
    """Plural, namespace, name and subresource."""
    if target is None:
        return None
    return target.endpoint.resource.plural, target.namespace, target.name, target.endpoint.subresource


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/api/v1/pods", ("pods", "", "", "")),
        ("/api/v1/pods/", ("pods", "", "", "")),
        ("/api/v1/namespaces/a/pods", ("pods", "a", "", "")),
        ("/api/v1/namespaces/a/pods/b", ("pods", "a", "b", "")),
        ("/api/v1/namespaces/a/pods/b/status", ("pods", "a", "b", "status")),
        ("/api/v1/namespaces", ("namespaces", "", "", "")),
        ("/api/v1/namespaces/a", ("namespaces", "", "a", "")),
        ("/api/v1/namespaces/a/finalize", ("namespaces", "", "a", "finalize")),
        ("/api/v1/namespaces/a/status", ("namespaces", "", "a", "status")),
        ("/api/v1/nodes/n", ("nodes", "", "n", "")),
        ("/apis/apps/v1/namespaces/a/deployments/b/scale", ("deployments", "a", "b", "scale")),
        (
            "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode",
            ("clusterroles", "", "system:node", ""),
        ),
    ],
)
def test_paths_name_resources(path: str, expected: tuple[str, str, str, str]) -> None:
    """Collections, objects and subresources, namespaced or not, are found; escapes are undone."""
    assert named(PATHS.find(path)) == expected


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "",
        "/api",
        "/api/v1",
        "/apis/apps/v1",
        "/api/v2/pods",
        "/api/v1/unknown",
        "/api/v1/pods/b",  # namespaced, without its namespace
        "/api/v1/namespaces/a/nodes",  # not namespaced
        "/api/v1/namespaces//pods",
        "/api/v1/namespaces/a/pods/b/unknown",
        "/api/v1/namespaces/a/pods/b/status/more",
        "/apis/apps/v1/pods",
    ],
)
def test_other_paths_name_nothing(path: str) -> None:
    """Unknown versions, resources and subresources, and the wrong scope, are not found."""
    assert PATHS.find(path) is None


def test_the_watch_prefix_watches() -> None:
    """`/api/v1/watch/...` is the legacy spelling of a watch."""
    target = PATHS.find("/api/v1/watch/namespaces/a/pods")
    assert named(target) == ("pods", "a", "", "")
    assert target is not None
    assert target.is_watch


def test_a_proxy_keeps_the_rest_of_its_path() -> None:
    """What follows `proxy` belongs to the proxied server."""
    target = PATHS.find("/api/v1/nodes/n/proxy/logs/x")
    assert target is not None
    assert (target.endpoint.subresource, target.rest) == ("proxy", "logs/x")
