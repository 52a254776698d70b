"""Methods on targets become verbs."""

import pytest

from kubewire.apiserver.contracts import Identity
from kubewire.apiserver.metrics import ApiServerMetrics
from kubewire.apiserver.rest.asked import Asked, is_for_humans, rows_show, series_of, verb_of
from kubewire.apiserver.rest.paths import Paths, Target
from kubewire.apiserver.rest.query import parse_query
from kubewire.component.metrics.registry import Registry
from kubewire.machinery.errors import StatusError
from kubewire.machinery.resources import builtin
from tests.unit.apiserver.rest.fake_request import FakeRequest

PATHS = Paths(builtin().served())
PODS = "/api/v1/namespaces/a/pods"
USER = Identity("u")


def target(path: str) -> Target:
    """A path that names something."""
    found = PATHS.find(path)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("method", "path", "query", "verb"),
    [
        ("GET", PODS, "", "list"),
        ("HEAD", PODS, "", "list"),
        ("GET", PODS, "watch=true", "watch"),
        ("GET", "/api/v1/watch/namespaces/a/pods", "", "watch"),
        ("GET", "/api/v1/watch/namespaces/a/pods/x", "", "watch"),
        ("POST", PODS, "", "create"),
        ("DELETE", PODS, "", "deletecollection"),
        ("GET", f"{PODS}/x", "", "get"),
        ("GET", f"{PODS}/x", "watch=true", "get"),
        ("PUT", f"{PODS}/x", "", "update"),
        ("PATCH", f"{PODS}/x", "", "patch"),
        ("DELETE", f"{PODS}/x", "", "delete"),
        ("POST", f"{PODS}/x/binding", "", "create"),
        ("GET", f"{PODS}/x/status", "", "get"),
        ("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", "", "create"),
    ],
)
def test_verbs(method: str, path: str, query: str, verb: str) -> None:
    """As Kubernetes names them for authorization."""
    assert verb_of(method, target(path), parse_query(query)) == verb


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/v1/pods"),  # into no namespace
        ("DELETE", "/api/v1/pods"),
        ("PUT", PODS),
        ("POST", f"{PODS}/x"),
        ("DELETE", f"{PODS}/x/status"),
        ("GET", f"{PODS}/x/binding"),
        ("DELETE", "/api/v1/namespaces"),  # namespaces know no deletecollection
        ("GET", "/apis/authentication.k8s.io/v1/selfsubjectreviews"),
        ("OPTIONS", PODS),
    ],
)
def test_other_methods_are_not_allowed(method: str, path: str) -> None:
    """A 405 in Kubernetes' words."""
    with pytest.raises(StatusError, match="does not allow this method") as raised:
        verb_of(method, target(path), {})
    assert (raised.value.code, raised.value.reason) == (405, "MethodNotAllowed")


def test_the_call_says_who_asks_for_what() -> None:
    """Namespace, name, subresource, user agent and cause go to the core."""
    headers = {"User-Agent": "kubectl/v1", "Kubewire-Cause": "c" * 600}
    asked = Asked(FakeRequest(headers=headers), target(f"{PODS}/x/status"), "get", {}, USER)
    call = asked.call
    assert (call.resource.plural, call.namespace, call.name, call.subresource) == ("pods", "a", "x", "status")
    assert (call.identity, call.user_agent, len(call.cause)) == (USER, "kubectl/v1", 512)
    assert asked.shows == "Metadata"
    assert not asked.headers
    call.warnings.append("careful")
    assert asked.headers == [("Warning", '299 - "careful"')]


def test_watches_by_path_select_by_name() -> None:
    """The name of a legacy path is not the call's."""
    asked = Asked(FakeRequest(), target("/api/v1/watch/namespaces/a/pods/x"), "watch", {}, USER)
    assert (asked.call.name, asked.target.name) == ("", "x")


def test_series_are_kept_with_their_endpoint() -> None:
    """The same verb and scope count in the same series; apply and dry runs apart."""
    metrics = ApiServerMetrics(Registry()).requests
    one, apply = target(f"{PODS}/x"), {"Content-Type": "application/apply-patch+yaml"}
    first = series_of(metrics, FakeRequest(), one, "get", {})
    assert series_of(metrics, FakeRequest(), target(f"{PODS}/y"), "get", {}) is first
    patch = series_of(metrics, FakeRequest(), one, "patch", {})
    assert series_of(metrics, FakeRequest(headers=apply), one, "patch", {}) is not patch
    assert series_of(metrics, FakeRequest(), one, "patch", {"dryRun": "All"}) is not patch


def test_humans_get_indented_json() -> None:
    """Who asks for it, and who uses curl or a browser, unless they say no."""
    assert is_for_humans({}, "curl/8.0")
    assert is_for_humans({"pretty": "true"}, "kubectl/v1")
    assert not is_for_humans({"pretty": "false"}, "curl/8.0")
    assert not is_for_humans({}, "kubectl/v1")


def test_rows_show_one_of_three_things() -> None:
    """Metadata unless something else is asked for; anything unknown is a 422."""
    assert rows_show({}) == rows_show({"includeObject": ""}) == "Metadata"
    assert rows_show({"includeObject": "None"}) == "None"
    with pytest.raises(StatusError, match=r'includeObject: Unsupported value: "All"') as raised:
        rows_show({"includeObject": "All"})
    assert raised.value.code == 422
