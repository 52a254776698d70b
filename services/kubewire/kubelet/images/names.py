"""Names of images: registry/path:tag@digest. Pure."""

from __future__ import annotations

from typing import Final

_DEFAULT_REGISTRY: Final = "docker.io"


def default_policy(image: str) -> str:
    """The pull policy of a container that has none: a tag that moves is asked for each time."""
    _, digest_at, _ = image.partition("@")
    tag = tag_of(image)
    return "Always" if not digest_at and tag in {"", "latest"} else "IfNotPresent"


def tag_of(image: str) -> str:
    """The tag; empty if it has none."""
    last = image.partition("@")[0].rpartition("/")[2]
    return last.partition(":")[2]


def repository_of(image: str) -> str:
    """`registry/path` with neither tag nor digest, written out: `busybox` is `docker.io/library/busybox`."""
    name = image.partition("@")[0]
    head, _, last = name.rpartition("/")
    name = f"{head}/{last.partition(':')[0]}".lstrip("/")
    first, slash, rest = name.partition("/")
    if slash and (any(char in first for char in ".:") or first == "localhost"):
        return name
    return f"{_DEFAULT_REGISTRY}/{name}" if slash else f"{_DEFAULT_REGISTRY}/library/{first}{rest}"
