"""The verbs of a simulated API server, on messages. Nothing here waits: each verb is done when it returns."""

from __future__ import annotations

import asyncio
from typing import Any

from kubewire.api.core.v1.binding_pb2 import Binding
from kubewire.api.meta.v1.options_pb2 import DeleteOptions
from kubewire.client.objects import ObjectKey, key_of
from kubewire.client.testing.rules import Rules, is_finished
from kubewire.client.testing.shelf import Shelf
from kubewire.machinery import errors
from kubewire.machinery.messages import message_class
from kubewire.machinery.resources import Resource

Object = Any
"""A message of any kind."""

_DEFAULT_GRACE_SECONDS = 30


class SimulatedObjects:
    """All objects of all resources, under one count of writes.

    Attributes:
        revision: of the last write.
        watches: woken at every write.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._shelves: dict[Resource, Shelf] = {}
        self.revision = 0
        self.watches: set[asyncio.Event] = set()

    def shelf(self, resource: Resource) -> Shelf:
        """The objects of a resource."""
        return self._shelves.setdefault(resource, Shelf())

    def read(self, resource: Resource, raw: bytes) -> Object:
        """A message of a resource's kind, the caller's own."""
        return message_class(resource.message).FromString(raw)

    def get(self, resource: Resource, key: ObjectKey) -> Object:
        """The object."""
        raw = self.shelf(resource).objects.get(key)
        if raw is None:
            raise errors.not_found(resource.group_resource, key.name)
        return self.read(resource, raw)

    def create(self, resource: Resource, obj: Object, namespace: str = "") -> Object:
        """A new object; its status is dropped where status is a subresource."""
        self._rules.prepare_create(obj, namespace if resource.namespaced else "")
        if "status" in resource.subresources:
            obj.ClearField("status")
        if key_of(obj) in self.shelf(resource).objects:
            raise errors.already_exists(resource.group_resource, obj.metadata.name)
        return self.store(resource, obj)

    def update(self, resource: Resource, obj: Object, subresource: str = "") -> Object:
        """A changed object; nothing is written if nothing changes, and the last finalizer's removal deletes it."""
        current = self.get(resource, key_of(obj))
        merged = self._rules.prepare_update(obj, current, resource, subresource)
        merged.metadata.resourceVersion = current.metadata.resourceVersion
        if merged.SerializeToString(deterministic=True) == current.SerializeToString(deterministic=True):
            return current
        return self._remove(resource, merged) if is_finished(merged) else self.store(resource, merged)

    def delete(self, resource: Resource, key: ObjectKey, options: DeleteOptions) -> Object:
        """Gone at once, or marked while finalizers hold it."""
        current = self.get(resource, key)
        _check_preconditions(resource, current, options)
        was_deleting = current.metadata.HasField("deletionTimestamp")
        grace = options.gracePeriodSeconds if options.HasField("gracePeriodSeconds") else _DEFAULT_GRACE_SECONDS
        if self._rules.begin_delete(current, grace):
            return current if was_deleting else self.store(resource, current)
        return self._remove(resource, current)

    def bind(self, resource: Resource, binding: Binding, key: ObjectKey) -> None:
        """Assign a pod to a node, once."""
        pod = self.get(resource, key)
        if binding.metadata.uid and binding.metadata.uid != pod.metadata.uid:
            raise errors.conflict(resource.group_resource, key.name, f"uid is {pod.metadata.uid}")
        if pod.spec.nodeName:
            why = f"pod {key.name} is already assigned to node {pod.spec.nodeName!r}"
            raise errors.conflict(resource.group_resource, key.name, why)
        pod.spec.nodeName = binding.target.name
        pod.status.conditions.add(type="PodScheduled", status="True")
        self.store(resource, pod)

    def store(self, resource: Resource, obj: Object) -> Object:
        """Write an object as it is, under the next version."""
        self.revision += 1
        obj.metadata.resourceVersion = str(self.revision)
        self.shelf(resource).put(key_of(obj), obj.SerializeToString(), self.revision)
        self._wake()
        return obj

    def _remove(self, resource: Resource, obj: Object) -> Object:
        self.revision += 1
        obj.metadata.resourceVersion = str(self.revision)
        # The last state carries the version of the deletion, so that a watch can go on from it.
        shelf = self.shelf(resource)
        shelf.objects[key_of(obj)] = obj.SerializeToString()
        shelf.put(key_of(obj), None, self.revision)
        self._wake()
        return obj

    def _wake(self) -> None:
        for watch in self.watches:
            watch.set()


def _check_preconditions(resource: Resource, current: Object, options: DeleteOptions) -> None:
    conditions, metadata = options.preconditions, current.metadata
    for name, wanted, found in (
        ("UID", conditions.uid, metadata.uid),
        ("ResourceVersion", conditions.resourceVersion, metadata.resourceVersion),
    ):
        if wanted and wanted != found:
            why = (
                f"the {name} in the precondition ({wanted}) does not match the {name} in record ({found}). "
                "The object might have been deleted and then recreated"
            )
            raise errors.conflict(resource.group_resource, metadata.name, why)
