"""Finding out what became of an object: its pods and their slices version by version, and who wrote each version."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress

from kubewire.api.apps.v1.replica_set_pb2 import ReplicaSet
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.api.discovery.v1.endpoint_slice_pb2 import EndpointSlice
from kubewire.api.meta.v1.group_kind_pb2 import GroupVersionResource
from kubewire.cli.tracing.story import Seen, Write, seconds
from kubewire.client.client import Client
from kubewire.client.objects import T
from kubewire.client.resources.options import Watching
from kubewire.client.resources.resource_client import ResourceClient
from kubewire.machinery.errors import StatusError
from kubewire.rpc.v1.object_service_pb2 import ListWritesRequest, ListWritesResponse

_LIST_WRITES = "/kubewire.rpc.v1.ObjectService/ListWrites"
_SECONDS = 5.0
_IDLE_SECONDS = 0.2
"""A watch tells what has happened already in one go: after such a pause it has caught up."""
_WRITES_AT_MOST = 1000
REPLICA_SETS = GroupVersionResource(group="apps", version="v1", resource="replicasets")
PODS = GroupVersionResource(version="v1", resource="pods")
SLICES = GroupVersionResource(group="discovery.k8s.io", version="v1", resource="endpointslices")


async def gather(client: Client, namespace: str, name: str, proxies: Mapping[str, float]) -> Seen:
    """What is known of a ReplicaSet.

    Raises:
        StatusError: it is not there, or it may not be read.
    """
    root = await client.resource(ReplicaSet, namespace=namespace).get(name)
    records = {(_name(REPLICA_SETS), name): await _writes(client, REPLICA_SETS, namespace, name)}
    since = next(iter(records[_name(REPLICA_SETS), name]), "")  # the first that is remembered
    pods = [pod for pod in await _versions(client.pods(namespace), since) if _is_owned(pod, root.metadata.uid)]
    slices = await _versions(client.resource(EndpointSlice, namespace=namespace), since)
    for resource, names in ((PODS, _names(pods)), (SLICES, _names(slices))):
        found = await asyncio.gather(*(_writes(client, resource, namespace, one) for one in names))
        records |= {(_name(resource), one): writes for one, writes in zip(names, found, strict=True)}
    return Seen(_name(REPLICA_SETS), name, seconds(root.metadata.creationTimestamp), pods, slices, records, proxies)


async def _writes(client: Client, resource: GroupVersionResource, namespace: str, name: str) -> dict[str, Write]:
    """What the server remembers of who wrote an object."""
    request = ListWritesRequest(namespace=namespace, name=name, resource=resource, limit=_WRITES_AT_MOST)
    data = await client.transport.unary(_LIST_WRITES, request.SerializeToString(), timeout_seconds=_SECONDS)
    return {
        one.resource_version: Write(
            one.resource_version,
            one.verb,
            one.user,
            one.manager,
            one.cause,
            one.received_time.ToNanoseconds() / 1e9,
            one.committed_time.ToNanoseconds() / 1e9,
        )
        for one in ListWritesResponse.FromString(data).writes
    }


async def _versions(resource: ResourceClient[T], since: str) -> list[T]:
    """All versions after one, in order, up to the present ones; the present ones alone if history is gone."""
    present = [one async for one in resource.list()]
    if not since:
        return present
    seen: list[T] = []
    with suppress(StatusError, TimeoutError):  # history is gone; or all of it has come
        async with resource.watch(Watching(resource_version=since)) as events:
            while True:
                async with asyncio.timeout(_IDLE_SECONDS):
                    event = await anext(events)
                if event.object.metadata.name:  # a bookmark has none
                    seen.append(event.object)
    known = {(one.metadata.name, one.metadata.resourceVersion) for one in seen}
    return [*seen, *(one for one in present if (one.metadata.name, one.metadata.resourceVersion) not in known)]


def _is_owned(pod: Pod, uid: str) -> bool:
    return any(owner.uid == uid for owner in pod.metadata.ownerReferences)


def _names(objects: Iterable[Pod | EndpointSlice]) -> list[str]:
    return list(dict.fromkeys(one.metadata.name for one in objects))


def _name(resource: GroupVersionResource) -> str:
    return f"{resource.resource}.{resource.group}" if resource.group else resource.resource
