"""Paths that are no resources: discovery, OpenAPI, version, health, metrics, and the list of paths itself.

Version and health are open to everyone. All else is asked of the authorizers: by the default roles discovery and
OpenAPI are for every known caller, and what tokens are checked by is for service accounts.
"""

from __future__ import annotations

import asyncio
from hashlib import sha512
from typing import TYPE_CHECKING, Final

import orjson

from kubewire.apiserver.auth.authorization import Attributes
from kubewire.apiserver.encoding.envelope import wrap
from kubewire.apiserver.encoding.media import Format, Wanted, negotiate_plain, parse_accept
from kubewire.apiserver.encoding.objects import pretty
from kubewire.apiserver.encoding.yaml_text import to_yaml
from kubewire.apiserver.rest.answers import CACHE_CONTROL, JSON_TYPE, TEXT_TYPE, Header, write
from kubewire.apiserver.rest.asked import is_for_humans
from kubewire.apiserver.rest.discovery import AGGREGATED_VERSIONS, Discovery
from kubewire.apiserver.rest.openapi.documents import OpenApi
from kubewire.apiserver.rest.query import parse_query
from kubewire.apiserver.rest.version import git_version, version_info
from kubewire.component.metrics.exposition import CONTENT_TYPE as METRICS_TYPE
from kubewire.machinery.codec.decode import decode
from kubewire.machinery.json_value import JsonObject
from kubewire.machinery.messages import message_class

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubewire.apiserver.auth.authorization import Authorization
    from kubewire.apiserver.auth.cluster_tokens import ClusterTokens
    from kubewire.apiserver.contracts import Identity
    from kubewire.apiserver.rest.request import Request, Written
    from kubewire.component.metrics.registry import Registry
    from kubewire.machinery.resources import Resource

_DISCOVERY_GROUP: Final = "apidiscovery.k8s.io"
_VARY: Final[tuple[Header, ...]] = (("Vary", "Accept"),)
_FOREVER: Final[tuple[Header, ...]] = ((CACHE_CONTROL, "public, immutable, max-age=31536000"),)
_FOR_AN_HOUR: Final[tuple[Header, ...]] = ((CACHE_CONTROL, "public, max-age=3600"),)
_KEY_SET_TYPE: Final = b"application/jwk-set+json"
_OPENAPI_FORMATS: Final = (Format.JSON,)


class Documents:
    """Serves documents about a set of resources. Each is made once, when it is first asked for."""

    def __init__(
        self,
        resources: Sequence[Resource],
        server_address: str,
        authorization: Authorization,
        registry: Registry,
        tokens: ClusterTokens | None = None,
    ) -> None:
        self._discovery = Discovery(resources, server_address)
        self._openapi = OpenApi(resources, git_version())
        self._authorization = authorization
        self._registry = registry
        self._tokens = tokens
        self._server_address = server_address
        self._made: dict[tuple[str, str], bytes] = {}

    async def serve(self, request: Request, identity: Identity) -> Written | None:
        """Answer a request for a path that is no resource; None if there is nothing there.

        Raises:
            StatusError: 403, 406.
        """
        path = request.path
        self._authorization.require(Attributes(identity, request.method.lower(), path=path))
        if request.method not in ("GET", "HEAD"):
            return None
        if path.startswith("/api"):
            return self._write_discovery(request)
        if path.startswith("/openapi/"):
            return await self._write_openapi(request)
        match path:
            case "/":
                return _write_json(request, {"paths": list(self._paths())})
            case "/metrics":
                return write(request, 200, self._registry.render(), METRICS_TYPE.encode())
        return None if self._tokens is None else self._write_openid(request, self._tokens)

    def _write_openid(self, request: Request, tokens: ClusterTokens) -> Written | None:
        """What others need to check the tokens of service accounts."""
        match request.path:
            case "/.well-known/openid-configuration":
                document, content_type = tokens.configuration(self._server_address), JSON_TYPE
            case "/openid/v1/jwks":
                document, content_type = tokens.key_set, _KEY_SET_TYPE
            case _:
                return None
        return write(request, 200, orjson.dumps(document), content_type, _FOR_AN_HOUR)

    def _paths(self) -> list[str]:
        versions = [
            f"/apis/{version.group_version}" if group.name else f"/api/{version.group_version}"
            for group in self._discovery.groups
            for version in group.versions
        ]
        groups = [f"/apis/{group.name}" for group in self._discovery.groups if group.name]
        others = [
            *(("/.well-known/openid-configuration", "/openid/v1/jwks") if self._tokens is not None else ()),
            "/api",
            "/apis",
            "/healthz",
            "/livez",
            "/metrics",
            "/openapi/v2",
            "/openapi/v3",
            "/readyz",
            "/version",
        ]
        return sorted((*others, *groups, *versions))

    # -------------------------------------------------------------------------------------------- discovery

    def _write_discovery(self, request: Request) -> Written | None:
        accept, path = request.headers.get("Accept", ""), request.path.rstrip("/")
        version = aggregated_version(accept) if path in ("/api", "/apis") else ""
        if version:
            return self._write_aggregated(request, path, version)
        wanted = negotiate_plain(accept, tuple(Format))
        document = self._discovery.legacy(path)
        if document is None:
            return None
        return _write_document(request, document, wanted)

    def _write_aggregated(self, request: Request, path: str, version: str) -> Written:
        content_type = f"application/json;g={_DISCOVERY_GROUP};v={version};as=APIGroupDiscoveryList"
        body = self._made.get((path, version))
        if body is None:
            body = self._made[path, version] = orjson.dumps(self._discovery.aggregated(path, version))
        return _write_tagged(request, body, content_type.encode(), _VARY)

    # -------------------------------------------------------------------------------------------- OpenAPI

    async def _write_openapi(self, request: Request) -> Written | None:
        negotiate_plain(request.headers.get("Accept", ""), _OPENAPI_FORMATS)
        path, documents = request.path.rstrip("/"), self._openapi
        if path == "/openapi/v2":
            return _write_tagged(request, await asyncio.to_thread(lambda: documents.v2), JSON_TYPE, _VARY)
        if path == "/openapi/v3":
            return _write_tagged(request, documents.index, JSON_TYPE, _VARY)
        root = path.removeprefix("/openapi/v3/")
        if not documents.has(root):
            return None
        named = parse_query(request.query_text).get("hash", "")
        headers = (*_VARY, *_FOREVER) if named == documents.hash_of(root) else _VARY
        return _write_tagged(request, await asyncio.to_thread(documents.v3, root), JSON_TYPE, headers)


def aggregated_version(accept: str) -> str:
    """The version of aggregated discovery a client wants most, empty if it wants the legacy form."""
    for clause in parse_accept(accept):
        given = clause.parameters
        if clause.media_type not in ("application/json", "*/*", "application/*"):
            continue
        if "as" not in given:
            return ""
        if given["as"] == "APIGroupDiscoveryList" and given.get("g") == _DISCOVERY_GROUP:
            version = given.get("v", "")
            if version in AGGREGATED_VERSIONS:
                return version
    return ""


def write_version(request: Request) -> Written:
    """Answer `/version`."""
    body = orjson.dumps(version_info(), option=orjson.OPT_INDENT_2)
    return write(request, 200, body)


def write_not_found(request: Request) -> Written:
    """Nothing is served at this path."""
    return write(request, 404, b"404 page not found\n", TEXT_TYPE, (("X-Content-Type-Options", "nosniff"),))


def _write_json(request: Request, document: JsonObject) -> Written:
    return write(request, 200, orjson.dumps(document, option=orjson.OPT_INDENT_2))


def _write_document(request: Request, document: JsonObject, wanted: Wanted) -> Written:
    """A discovery document of the legacy form."""
    data = orjson.dumps(document)
    if wanted.format is Format.PROTOBUF:
        kind = str(document["kind"])
        message = decode(document, message_class(f"k8s.io.apimachinery.pkg.apis.meta.v1.{kind}"))
        body = wrap("v1", kind, message.SerializeToString(deterministic=True))
        return write(request, 200, body, Format.PROTOBUF.value.encode(), _VARY)
    if wanted.format is Format.YAML:
        return write(request, 200, to_yaml(data), Format.YAML.value.encode(), _VARY)
    is_pretty = wanted.pretty or is_for_humans(parse_query(request.query_text), request.headers.get("User-Agent", ""))
    return write(request, 200, pretty(data) if is_pretty else data + b"\n", JSON_TYPE, _VARY)


def _write_tagged(request: Request, body: bytes, content_type: bytes, headers: Sequence[Header]) -> Written:
    """A document with an ETag; 304 without it for clients that have it."""
    tag = f'"{sha512(body).hexdigest().upper()}"'
    tagged = (*headers, ("ETag", tag))
    if tag in request.headers.get("If-None-Match", ""):
        return write(request, 304, b"", content_type, tagged)
    return write(request, 200, body, content_type, tagged)
