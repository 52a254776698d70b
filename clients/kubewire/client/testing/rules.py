"""What a simulated API server does to an object that is written: identity, version, status apart, deletion.

A few rules of the real one, those that controllers notice: no defaults, no validation, no admission.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from random import Random
from typing import Any, Final
from uuid import UUID

from kubewire.client.objects import ApiObject
from kubewire.machinery import errors
from kubewire.machinery.names import generated_name
from kubewire.machinery.resources import Resource

Object = Any
"""A message of any kind: which fields it has is looked up by name."""

_KEPT: Final = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation")
"""Of metadata: the server's alone."""


class Rules:
    """Fills what the server fills."""

    def __init__(self, wall_clock: Callable[[], float] = time.time, random: Random | None = None) -> None:
        self._wall_clock = wall_clock
        self._random = random or Random(0)  # noqa: S311 - names in tests

    def prepare_create(self, obj: Object, namespace: str) -> None:
        """Name, namespace, uid, time and generation of a new object."""
        metadata = obj.metadata
        if namespace:
            metadata.namespace = namespace
        if not metadata.name and metadata.generateName:
            metadata.name = generated_name(metadata.generateName, self._random)
        if not metadata.name:
            raise errors.bad_request("metadata.name: want a name or a generateName")
        metadata.uid = str(UUID(int=self._random.getrandbits(128), version=4))
        metadata.generation = 1
        self.stamp(metadata.creationTimestamp)

    def prepare_update(self, obj: Object, current: Object, resource: Resource, subresource: str) -> Object:
        """What an update stores: metadata of the server is kept, status and the rest are written apart."""
        version = obj.metadata.resourceVersion
        if version and version != current.metadata.resourceVersion:
            raise errors.conflict(resource.group_resource, obj.metadata.name)
        if subresource == "status":
            merged = type(obj)()
            merged.CopyFrom(current)
            merged.ClearField("status")
            merged.status.CopyFrom(obj.status)
            return merged
        merged = type(obj)()
        merged.CopyFrom(obj)
        _keep_metadata(merged, current)
        if "status" in resource.subresources:
            merged.ClearField("status")
            if current.HasField("status"):
                merged.status.CopyFrom(current.status)
        if _spec(merged) != _spec(current):
            merged.metadata.generation = current.metadata.generation + 1
        return merged

    def begin_delete(self, obj: Object, grace_period_seconds: int) -> bool:
        """Mark an object that finalizers hold; False if nothing holds it and it is to go now."""
        if not obj.metadata.finalizers:
            return False
        if not obj.metadata.HasField("deletionTimestamp"):
            self.stamp(obj.metadata.deletionTimestamp)
            obj.metadata.deletionGracePeriodSeconds = grace_period_seconds
        return True

    def stamp(self, moment: Object) -> None:
        """Set a `meta.v1.Time` to now, in whole seconds as Kubernetes has it."""
        moment.seconds = int(self._wall_clock())


def is_finished(obj: ApiObject) -> bool:
    """Whether an object that is being deleted has lost its last finalizer."""
    metadata = obj.metadata
    return metadata.HasField("deletionTimestamp") and not metadata.finalizers


def _keep_metadata(merged: Object, current: Object) -> None:
    for name in _KEPT:
        merged.metadata.ClearField(name)
    kept = type(merged.metadata)()
    kept.CopyFrom(current.metadata)
    for field, _ in kept.ListFields():
        if field.name not in _KEPT:
            kept.ClearField(field.name)
    merged.metadata.MergeFrom(kept)


def _spec(obj: Object) -> object:
    return obj.spec.SerializeToString(deterministic=True) if "spec" in obj.DESCRIPTOR.fields_by_name else None
