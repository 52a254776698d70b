"""`scale`: how many replicas a workload has, in the same small message for every kind that has replicas."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, cast

from kubewire.api.autoscaling.v1.scale_pb2 import Scale
from kubewire.apiserver.contracts import Written
from kubewire.apiserver.item import Item
from kubewire.apiserver.registry import pipeline, reads
from kubewire.apiserver.registry.decoding import decode_message
from kubewire.apiserver.registry.metadata import match_name
from kubewire.apiserver.registry.patches import patcher
from kubewire.apiserver.registry.subresources.contracts import Special
from kubewire.apiserver.registry.write import Write, begin
from kubewire.apiserver.strategy.metadata import metadata_of
from kubewire.machinery import errors, field_errors
from kubewire.machinery.field_path import ROOT
from kubewire.machinery.gvk import GroupKind, GroupVersionKind
from kubewire.machinery.selectors import labels

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from kubewire.apiserver.contracts import Body, Call, Patch
    from kubewire.apiserver.options import GetOptions, WriteOptions
    from kubewire.apiserver.registry.core import Core

SCALE: Final = GroupVersionKind("autoscaling", "v1", "Scale")
_REPLICAS: Final = ROOT.child("spec", "replicas")


class WorkloadScale(Special):
    """The scale of Deployments, ReplicaSets, StatefulSets and ReplicationControllers."""

    async def get(self, core: Core, call: Call, options: GetOptions) -> Item:
        """The scale of a workload."""
        item = await reads.get(core, replace(call, subresource=""), options)
        return _scale_item(item)

    async def update(self, core: Core, call: Call, body: Body, options: WriteOptions) -> Written:
        """Set the number of replicas."""
        scale = cast("Scale", decode_message(body, SCALE, call, options))
        match_name(scale.metadata, call.name, call.namespace)
        return await self._write(core, call, "update", options, lambda _: scale)

    async def patch(self, core: Core, call: Call, patch: Patch, options: WriteOptions) -> Written:
        """Change the number of replicas by a patch of the scale."""
        apply = patcher(patch, Scale.DESCRIPTOR.full_name, SCALE, call, options)
        return await self._write(core, call, "patch", options, lambda old: cast("Scale", apply(old)))

    async def _write(
        self, core: Core, call: Call, verb: str, options: WriteOptions, change: Callable[[Scale], Scale]
    ) -> Written:
        write = begin(core, call, verb, options)
        write.updating = write.kind.strategy
        write.change = lambda one: _scaled(one, change)
        await pipeline.update(write)
        return Written(_scale_item(write.result.item))


def _scaled(write: Write, change: Callable[[Scale], Scale]) -> Message:
    """The workload with the replicas of the changed scale."""
    old, found = write.old, write.found
    if old is None or found is None:
        raise errors.not_found(write.kind.resource.group_resource, write.call.name)
    scale = change(scale_of(old, found.resource_version))
    if scale.spec.replicas < 0:
        problem = field_errors.invalid(_REPLICAS, scale.spec.replicas, "must be greater than or equal to 0")
        raise errors.invalid(GroupKind("autoscaling", "Scale"), write.call.name, [problem])
    workload = type(old)()
    workload.CopyFrom(old)
    cast("Any", workload).spec.replicas = scale.spec.replicas
    meta = metadata_of(workload)
    meta.resourceVersion = scale.metadata.resourceVersion
    if scale.metadata.uid:
        meta.uid = scale.metadata.uid
    return workload


def scale_of(workload: Message, resource_version: str) -> Scale:
    """The scale that a workload has."""
    its, meta = cast("Any", workload), metadata_of(workload)
    scale = Scale()
    scale.metadata.name, scale.metadata.namespace, scale.metadata.uid = meta.name, meta.namespace, meta.uid
    scale.metadata.resourceVersion = resource_version
    scale.metadata.creationTimestamp.CopyFrom(meta.creationTimestamp)
    scale.spec.replicas = its.spec.replicas
    scale.status.replicas = its.status.replicas
    scale.status.selector = str(_selector(its))
    return scale


def _selector(workload: Any) -> labels.Selector:  # noqa: ANN401 - any workload
    selector = workload.spec.selector
    return labels.from_message(selector) if hasattr(selector, "matchLabels") else labels.from_labels(selector)


def _scale_item(item: Item) -> Item:
    raw = scale_of(item.message, item.resource_version).SerializeToString(deterministic=True)
    return Item(item.resource, item.namespace, item.name, item.revision, raw)
