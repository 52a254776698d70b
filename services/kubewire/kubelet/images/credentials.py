"""Credentials of registries, as Secrets hold them (kubernetes.io/dockerconfigjson and dockercfg). Pure."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from fnmatch import fnmatchcase

import orjson

from kubewire.api.core.v1.secret_pb2 import Secret
from kubewire.cri.v1.api_pb2 import AuthConfig
from kubewire.machinery.json_value import JsonObject, JsonValue

_DOCKER_HUB = {"index.docker.io", "registry-1.docker.io", "docker.io"}


def credentials_in(secret: Secret, repository: str) -> list[AuthConfig]:
    """Those for a repository, the most exact first. What cannot be read holds none."""
    found = [(key, auth) for key, auth in _entries(secret) if _fits(key, repository)]
    return [auth for _, auth in sorted(found, key=lambda one: len(one[0]), reverse=True)]


def _entries(secret: Secret) -> Iterator[tuple[str, AuthConfig]]:
    for key, inner in ((".dockerconfigjson", "auths"), (".dockercfg", "")):
        document = _parsed(secret.data.get(key, b""))
        entries = document.get(inner) if inner else document
        if isinstance(entries, dict):
            for registry, entry in entries.items():
                if isinstance(entry, dict):
                    yield registry, _auth(entry)


def _parsed(data: bytes) -> JsonObject:
    try:
        document: JsonValue = orjson.loads(data)
    except orjson.JSONDecodeError:
        return {}
    return document if isinstance(document, dict) else {}


def _auth(entry: JsonObject) -> AuthConfig:
    user, password = str(entry.get("username", "")), str(entry.get("password", ""))
    if entry.get("auth") and not user:
        try:
            user, _, password = base64.b64decode(str(entry["auth"])).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            user = password = ""
    return AuthConfig(username=user, password=password, identity_token=str(entry.get("identitytoken", "")))


def _fits(key: str, repository: str) -> bool:
    """Whether an entry's key (`registry`, `https://registry/v1/`, `registry/path`, `*.registry`) covers it."""
    place = key.partition("://")[2] or key
    host, _, path = place.partition("/")
    path = path.strip("/")
    registry, _, rest = repository.partition("/")
    if path in {"v1", "v2"}:
        path = ""
    same = fnmatchcase(registry, host) or (registry in _DOCKER_HUB and host in _DOCKER_HUB)
    return same and (not path or rest == path or rest.startswith(f"{path}/"))
