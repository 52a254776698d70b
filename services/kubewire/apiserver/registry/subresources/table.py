"""Which resources and subresources are answered in a way of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from kubewire.apiserver.registry.kinds import unknown_resource
from kubewire.apiserver.registry.subresources.binding import Bindings, PodBinding
from kubewire.apiserver.registry.subresources.eviction import PodEviction
from kubewire.apiserver.registry.subresources.scale import WorkloadScale
from kubewire.apiserver.registry.subresources.token import AccountToken

if TYPE_CHECKING:
    from kubewire.apiserver.contracts import Call
    from kubewire.apiserver.registry.kinds import Kinds
    from kubewire.apiserver.registry.subresources.contracts import Special

_SCALE: Final = WorkloadScale()

SPECIAL: Final[Mapping[tuple[str, str, str], Special]] = {
    ("", "bindings", ""): Bindings(),
    ("", "pods", "binding"): PodBinding(),
    ("", "pods", "eviction"): PodEviction(),
    ("", "serviceaccounts", "token"): AccountToken(),
    ("", "replicationcontrollers", "scale"): _SCALE,
    ("apps", "deployments", "scale"): _SCALE,
    ("apps", "replicasets", "scale"): _SCALE,
    ("apps", "statefulsets", "scale"): _SCALE,
}
"""By group, resource and subresource."""


def special_of(call: Call, kinds: Kinds) -> Special | None:
    """Who answers a call; None if it is about objects, or parts of them.

    Raises:
        StatusError: 404, the registry has no such subresource (streams are the faces' own), or no such objects.
    """
    resource, subresource = call.resource, call.subresource
    if not subresource and resource.storage is not None:
        return None
    found = SPECIAL.get((resource.group, resource.plural, subresource))
    if found is None and (resource.storage is None or subresource not in kinds.of(resource).strategy.subresources):
        raise unknown_resource()
    return found
