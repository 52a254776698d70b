"""OpenAPI documents say what clients look for in them."""

from typing import Any, cast

import orjson
import pytest

from kubewire.apiserver.rest.openapi.documents import OpenApi
from kubewire.machinery.resources import builtin

DOCUMENTS = OpenApi(builtin().served(), "v1.36.2")
POD: dict[str, str] = {"group": "", "kind": "Pod", "version": "v1"}


def read(data: bytes) -> dict[str, Any]:
    """A document, decoded."""
    return cast("dict[str, Any]", orjson.loads(data))


def test_the_index_names_every_group_version() -> None:
    """Addresses carry a hash that names the content."""
    paths = read(DOCUMENTS.index)["paths"]
    assert {"api/v1", "apis/apps/v1", "apis/rbac.authorization.k8s.io/v1"} <= paths.keys()
    assert paths["api/v1"]["serverRelativeURL"] == f"/openapi/v3/api/v1?hash={DOCUMENTS.hash_of('api/v1')}"


def test_the_hash_changes_with_what_is_served() -> None:
    """Another version, or fewer resources, give another address."""
    other_version = OpenApi(builtin().served(), "v1.36.3")
    fewer = OpenApi([item for item in builtin().served() if item.plural != "pods"], "v1.36.2")
    hashes = {documents.hash_of("api/v1") for documents in (DOCUMENTS, other_version, fewer)}
    assert len(hashes) == 3


def test_v3_paths_name_kinds() -> None:
    """Operations carry the kind they are about: explain and validation look for it."""
    paths = read(DOCUMENTS.v3("api/v1"))["paths"]
    item = paths["/api/v1/namespaces/{namespace}/pods/{name}"]
    assert item["get"]["x-kubernetes-group-version-kind"] == POD
    assert {parameter["name"] for parameter in item["patch"]["parameters"]} >= {"fieldValidation", "dryRun", "force"}
    assert {parameter["name"] for parameter in item["parameters"]} == {"name", "namespace", "pretty"}
    assert "/api/v1/pods" in paths
    assert "/api/v1/namespaces/{namespace}/pods/{name}/eviction" in paths
    assert paths["/api/v1/nodes"]["get"]["x-kubernetes-action"] == "list"


def test_v3_schemas_are_complete() -> None:
    """Every reference leads somewhere; defaults stand beside allOf."""
    document = DOCUMENTS.v3("api/v1")
    schemas = read(document)["components"]["schemas"]
    references = {part.split(b'"')[0].decode() for part in document.split(b'"$ref":"#/components/schemas/')[1:]}
    assert references <= schemas.keys()
    pod = schemas["io.k8s.api.core.v1.Pod"]
    assert pod["x-kubernetes-group-version-kind"] == [POD]
    assert pod["properties"]["metadata"] == {
        "allOf": [{"$ref": "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"}],
        "default": {},
    }
    containers = schemas["io.k8s.api.core.v1.PodSpec"]["properties"]["containers"]
    assert containers["x-kubernetes-patch-merge-key"] == "name"
    assert schemas["io.k8s.apimachinery.pkg.api.resource.Quantity"]["oneOf"] == [{"type": "string"}, {"type": "number"}]


def test_a_document_has_only_what_it_needs() -> None:
    """The apps group's document knows pod templates, but not services."""
    schemas = read(DOCUMENTS.v3("apis/apps/v1"))["components"]["schemas"]
    assert "io.k8s.api.core.v1.PodTemplateSpec" in schemas
    assert "io.k8s.api.core.v1.Service" not in schemas


def test_v2_is_one_document() -> None:
    """All groups together; quantities are strings; bodies are parameters."""
    document = read(DOCUMENTS.v2)
    assert document["swagger"] == "2.0"
    assert document["definitions"]["io.k8s.apimachinery.pkg.api.resource.Quantity"] == {"type": "string"}
    create = document["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments"]["post"]
    body = next(parameter for parameter in create["parameters"] if parameter["in"] == "body")
    assert body["schema"] == {"$ref": "#/definitions/io.k8s.api.apps.v1.Deployment"}
    references = {part.split(b'"')[0].decode() for part in DOCUMENTS.v2.split(b'"$ref":"#/definitions/')[1:]}
    assert references <= document["definitions"].keys()


def test_operation_ids_are_unique() -> None:
    """Generators of clients make functions of them."""
    items = read(DOCUMENTS.v2)["paths"].values()
    ids = [operation["operationId"] for item in items for key, operation in item.items() if key != "parameters"]
    assert len(ids) == len(set(ids))


def test_unknown_documents() -> None:
    """A group version that is not served has no document."""
    assert not DOCUMENTS.has("apis/apps/v9")
    with pytest.raises(KeyError):
        DOCUMENTS.v3("apis/apps/v9")
