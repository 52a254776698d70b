"""Which resource and verb a path means: the reverse of `resources.methods`."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from kubewire.client.resources.methods import Verb, generic_path, typed_path
from kubewire.machinery import service_names
from kubewire.machinery.resources import Resource, builtin


class Route(NamedTuple):
    """What a path means; without a resource, the request names it (ObjectService)."""

    verb: Verb
    resource: Resource | None = None
    subresource: str = ""


def find(path: str) -> Route | None:
    """The route of a path; None if nothing is there."""
    return _routes(path.removeprefix("/").partition("/")[0]).get(path)


@cache
def _routes(service: str) -> dict[str, Route]:
    if service == service_names.OBJECT_SERVICE:
        return {generic_path(verb): Route(verb) for verb in Verb}
    return {
        typed_path(resource, verb, subresource): Route(verb, resource, subresource)
        for resource in builtin().all
        if service_names.service(resource) == service
        for subresource in ("", *resource.subresources)
        for verb in Verb
    }
