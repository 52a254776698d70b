"""Discovery, OpenAPI, health, version and metrics over HTTP."""

import aiohttp
import pytest
import yaml

from kubewire.api.meta.v1.discovery_pb2 import APIResourceList
from kubewire.api.runtime.runtime_pb2 import Unknown
from tests.integration.rest.rest_stack import RestStack

AGGREGATED = (
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"
)
NOBODY = {"Authorization": ""}
OTHER = {"Authorization": "Bearer other-token"}


async def test_legacy_discovery(http: aiohttp.ClientSession) -> None:
    """One document for each path, all known callers may read them."""
    for path, kind in (
        ("/api", "APIVersions"),
        ("/apis", "APIGroupList"),
        ("/apis/apps", "APIGroup"),
        ("/api/v1", "APIResourceList"),
        ("/apis/apps/v1", "APIResourceList"),
    ):
        async with http.get(path, headers=OTHER) as answer:
            assert (answer.status, (await answer.json())["kind"]) == (200, kind)


async def test_discovery_in_other_formats(http: aiohttp.ClientSession) -> None:
    """YAML and protobuf say what JSON says."""
    async with http.get("/apis/apps/v1") as answer:
        document = await answer.json()
    async with http.get("/apis/apps/v1", headers={"Accept": "application/yaml"}) as answer:
        assert yaml.safe_load(await answer.text()) == document
    async with http.get("/apis/apps/v1", headers={"Accept": "application/vnd.kubernetes.protobuf"}) as answer:
        unknown = Unknown.FromString((await answer.read())[4:])
    found = APIResourceList.FromString(unknown.raw)
    assert [item.name for item in found.resources] == [item["name"] for item in document["resources"]]


async def test_aggregated_discovery_is_tagged(http: aiohttp.ClientSession) -> None:
    """The content type names what it is, and who knows it already gets 304."""
    async with http.get("/apis", headers={"Accept": AGGREGATED}) as answer:
        assert answer.headers["Content-Type"] == AGGREGATED.split(",", maxsplit=1)[0]
        assert (await answer.json(content_type=None))["kind"] == "APIGroupDiscoveryList"
        tag = answer.headers["ETag"]
    async with http.get("/apis", headers={"Accept": AGGREGATED, "If-None-Match": tag}) as answer:
        assert (answer.status, await answer.read()) == (304, b"")


async def test_openapi(http: aiohttp.ClientSession) -> None:
    """The index leads to documents that may be kept for ever; protobuf is not to be had."""
    async with http.get("/openapi/v3") as answer:
        address = (await answer.json())["paths"]["apis/apps/v1"]["serverRelativeURL"]
    async with http.get(address) as answer:
        assert "immutable" in answer.headers["Cache-Control"]
        assert (await answer.json())["openapi"] == "3.0.0"
    async with http.get("/openapi/v3/apis/none/v1") as answer:
        assert answer.status == 404
    async with http.get("/openapi/v2") as answer:
        assert (await answer.json())["swagger"] == "2.0"
    accept = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
    async with http.get("/openapi/v2", headers={"Accept": accept}) as answer:
        assert answer.status == 406


async def test_health(stack: RestStack, http: aiohttp.ClientSession) -> None:
    """Open to everyone; verbose says what was checked; a failed check is a 500."""
    for path in ("/healthz", "/livez", "/readyz", "/livez/ping"):
        async with http.get(path, headers=NOBODY) as answer:
            assert (answer.status, await answer.text()) == (200, "ok")
    async with http.get("/readyz?verbose") as answer:
        assert "[+]ping ok" in await answer.text()
    stack.health.add_readiness("trouble", lambda: "a secret reason")
    async with http.get("/readyz") as answer:
        text = await answer.text()
    assert (answer.status, "[-]trouble failed" in text, "secret" in text) == (500, True, False)
    async with http.get("/readyz?exclude=trouble") as answer:
        assert answer.status == 200
    async with http.get("/livez/none") as answer:
        assert answer.status == 404


async def test_version(http: aiohttp.ClientSession) -> None:
    """Open to everyone."""
    async with http.get("/version", headers=NOBODY) as answer:
        info = await answer.json()
    assert (info["major"], info["minor"]) == ("1", "36")
    assert info["gitVersion"].startswith("v1.36.")


async def test_everything_else_needs_a_known_caller(http: aiohttp.ClientSession) -> None:
    """A 401 without a token, and with an unknown one."""
    for headers in (NOBODY, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic YTpi"}):
        for path in ("/", "/api", "/apis", "/metrics", "/openapi/v2", "/api/v1/pods", "/api/v1/nothing", "/nothing"):
            async with http.get(path, headers=headers) as answer:
                assert (answer.status, (await answer.json())["reason"]) == (401, "Unauthorized"), path


async def test_some_paths_need_authorization(http: aiohttp.ClientSession) -> None:
    """Whoever is known but may not is told so in Kubernetes' words."""
    async with http.get("/metrics", headers=OTHER) as answer:
        status = await answer.json()
    assert (answer.status, status["reason"]) == (403, "Forbidden")
    assert status["message"] == 'forbidden: User "other" cannot get path "/metrics"'
    async with http.get("/api/v1/nodes", headers=OTHER) as answer:
        message = (await answer.json())["message"]
    assert message.startswith('nodes is forbidden: User "other" cannot list resource "nodes" in API group ""')


async def test_metrics_count_requests(http: aiohttp.ClientSession) -> None:
    """Requests are counted under Kubernetes' names and labels."""
    async with http.get("/api/v1/namespaces/none"):
        pass
    async with http.get("/metrics") as answer:
        text = await answer.text()
    line = next(line for line in text.splitlines() if 'code="404"' in line and 'resource="namespaces"' in line)
    assert line.startswith("apiserver_request_total{")
    assert 'verb="GET"' in line
    assert "apiserver_current_inflight_requests" in text


async def test_the_root_lists_paths(http: aiohttp.ClientSession) -> None:
    """For people who look around."""
    async with http.get("/") as answer:
        paths = (await answer.json())["paths"]
    assert {"/api/v1", "/apis/apps", "/apis/apps/v1", "/openapi/v3", "/metrics"} <= set(paths)


@pytest.mark.parametrize(
    "path", ["/nothing", "/api/v1/nothing", "/apis/none/v1/pods", "/api/v1/namespaces/a/pods/b/none"]
)
async def test_unknown_paths(http: aiohttp.ClientSession, path: str) -> None:
    """A plain 404, as Kubernetes gives it."""
    async with http.get(path) as answer:
        assert (answer.status, await answer.text()) == (404, "404 page not found\n")
