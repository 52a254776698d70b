"""Which resources and subresources this server answers: what discovery may list, and paths may name.

The resource table knows all that Kubernetes has. Left out are proxies, streams where the server has no way to nodes,
and whatever neither the registry nor a review answers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from kubewire.apiserver.registry.subresources.table import SPECIAL
from kubewire.apiserver.reviews.table import REVIEWS
from kubewire.apiserver.strategy.table import strategy_for
from kubewire.apiserver.streams.table import is_stream
from kubewire.machinery.resources import Resource


def served_resources(resources: Iterable[Resource], *, with_streams: bool = False) -> list[Resource]:
    """Those that are answered, each with the subresources that are."""
    return [_served(resource, with_streams=with_streams) for resource in resources if _is_answered(resource)]


def _is_answered(resource: Resource) -> bool:
    if resource.storage is not None or resource.group_resource in REVIEWS:
        return True
    return (resource.group, resource.plural, "") in SPECIAL


def _served(resource: Resource, *, with_streams: bool) -> Resource:
    own = strategy_for(resource).subresources if resource.storage is not None else {}
    kept = {
        name: sub
        for name, sub in resource.subresources.items()
        if name in own
        or (resource.group, resource.plural, name) in SPECIAL
        or (with_streams and is_stream(resource, name))
    }
    return resource if len(kept) == len(resource.subresources) else replace(resource, subresources=kept)
