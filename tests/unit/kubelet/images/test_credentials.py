"""Credentials of registries."""

import base64

import orjson
import pytest

from kubewire.api.core.v1.secret_pb2 import Secret
from kubewire.kubelet.images.credentials import credentials_in


def secret(auths: dict[str, dict[str, str]], *, legacy: bool = False) -> Secret:
    """A pull secret."""
    if legacy:
        return Secret(data={".dockercfg": orjson.dumps(auths)})
    return Secret(data={".dockerconfigjson": orjson.dumps({"auths": auths})})


def users(found: Secret, repository: str) -> list[str]:
    """Whose credentials fit."""
    return [auth.username for auth in credentials_in(found, repository)]


@pytest.mark.parametrize(
    ("key", "fits"),
    [
        ("r.example", True),
        ("https://r.example/v1/", True),
        ("*.example", True),
        ("r.example/team", True),
        ("r.example/team/app", True),
        ("r.example/tea", False),
        ("r.example/other", False),
        ("example", False),
        ("r.example:5000", False),
    ],
)
def test_an_entry_covers_a_registry_or_a_part_of_it(key: str, *, fits: bool) -> None:
    """By host, and by path where it has one."""
    assert bool(users(secret({key: {"username": "me"}}), "r.example/team/app")) is fits


def test_docker_hub_has_many_names() -> None:
    """All mean the same."""
    assert users(secret({"https://index.docker.io/v1/": {"username": "me"}}), "docker.io/library/app") == ["me"]


def test_the_most_exact_comes_first() -> None:
    """A path before its registry."""
    found = secret({"r.example": {"username": "all"}, "r.example/team": {"username": "team"}})
    assert users(found, "r.example/team/app") == ["team", "all"]


def test_all_forms_are_read() -> None:
    """Name and password, both in one, tokens, and the form of old."""
    both = base64.b64encode(b"me:secret:with colon").decode()
    (auth,) = credentials_in(secret({"r.example": {"auth": both}}), "r.example/app")
    assert (auth.username, auth.password) == ("me", "secret:with colon")
    (auth,) = credentials_in(secret({"r.example": {"identitytoken": "t"}}), "r.example/app")
    assert auth.identity_token == "t"
    assert users(secret({"r.example": {"username": "old"}}, legacy=True), "r.example/app") == ["old"]


@pytest.mark.parametrize("data", [b"", b"no json", b"[]", b'{"auths": 3}', b'{"auths": {"r.example": 3}}'])
def test_what_cannot_be_read_holds_none(data: bytes) -> None:
    """A broken secret is no reason to fail: the image may be anybody's."""
    assert credentials_in(Secret(data={".dockerconfigjson": data}), "r.example/app") == []
    (auth,) = credentials_in(secret({"r.example": {"auth": "***"}}), "r.example/app")
    assert auth.username == ""
