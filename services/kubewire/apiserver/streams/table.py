"""Which subresources carry streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from kubewire.machinery.resources import Resource

CONNECTS: Final = frozenset({"exec", "attach", "portforward"})
"""Kubernetes counts requests for these under the verb CONNECT."""

STREAMS: Final = CONNECTS | {"log"}


def is_stream(resource: Resource, subresource: str) -> bool:
    """Whether a subresource of a resource carries a stream."""
    return subresource in STREAMS and not resource.group and resource.plural == "pods"
