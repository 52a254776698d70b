"""The smaller kinds of the core group: configuration, namespaces, nodes, limits and quotas, events' options."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubewire.apiserver.defaults.resource_lists import copy_missing, default_resource_list

if TYPE_CHECKING:
    from kubewire.api.authentication.v1.token_request_pb2 import TokenRequest
    from kubewire.api.core.v1.limit_range_pb2 import LimitRange, LimitRangeItem
    from kubewire.api.core.v1.namespace_pb2 import Namespace
    from kubewire.api.core.v1.node_pb2 import Node, NodeSpec
    from kubewire.api.core.v1.resource_quota_pb2 import ResourceQuota
    from kubewire.api.core.v1.secret_pb2 import Secret

_NAME_LABEL = "kubernetes.io/metadata.name"


def default_secret(secret: Secret) -> None:
    """Name the type, and take over `stringData`, which is a way of writing `data` and never stored."""
    if not secret.type:
        secret.type = "Opaque"
    if secret.stringData:
        for key, text in secret.stringData.items():
            secret.data[key] = text.encode()
        secret.ClearField("stringData")


def default_namespace(namespace: Namespace) -> None:
    """Let selectors find a namespace by its name."""
    if namespace.metadata.name:
        namespace.metadata.labels[_NAME_LABEL] = namespace.metadata.name
    if not namespace.status.phase:
        namespace.status.phase = "Active"


def default_node(node: Node) -> None:
    """All of a node's capacity is for pods unless it says otherwise."""
    _match_ranges(node.spec)
    if not node.HasField("status"):
        return
    status = node.status
    if not status.allocatable:
        copy_missing(status.capacity, status.allocatable)
    default_resource_list(status.capacity)
    default_resource_list(status.allocatable)


def _match_ranges(spec: NodeSpec) -> None:
    """`podCIDR` is the first of `podCIDRs`; where both are given and differ, `podCIDR` counts."""
    if spec.podCIDR:
        if not spec.podCIDRs or spec.podCIDRs[0] != spec.podCIDR:
            spec.podCIDRs[:] = [spec.podCIDR]
    elif spec.podCIDRs and spec.podCIDRs[0]:
        spec.podCIDR = spec.podCIDRs[0]


def default_limit_range(limits: LimitRange) -> None:
    """Derive what a container gets from what it may have."""
    for item in limits.spec.limits:
        if item.type == "Container":
            _default_container_limits(item)
        for amounts in (item.max, item.min, item.default, item.defaultRequest, item.maxLimitRequestRatio):
            default_resource_list(amounts)


def _default_container_limits(item: LimitRangeItem) -> None:
    copy_missing(item.max, item.default)
    copy_missing(item.default, item.defaultRequest)
    copy_missing(item.min, item.defaultRequest)


def default_resource_quota(quota: ResourceQuota) -> None:
    """Round the limits and what is used of them."""
    default_resource_list(quota.spec.hard)
    if quota.HasField("status"):
        default_resource_list(quota.status.hard)
        default_resource_list(quota.status.used)


def default_token_request(request: TokenRequest) -> None:
    """A token lives an hour unless asked otherwise."""
    if not request.spec.HasField("expirationSeconds"):
        request.spec.expirationSeconds = 3600
