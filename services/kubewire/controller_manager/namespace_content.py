"""What every namespace is to contain: one object of one kind under one name, made where it is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Generic

from kubewire.api.core.v1.namespace_pb2 import Namespace
from kubewire.client.controller import Controller
from kubewire.client.objects import ObjectKey, T
from kubewire.client.resources.options import Selection
from kubewire.controller_manager.calls import is_missing, is_there
from kubewire.controller_manager.context import Context
from kubewire.machinery.errors import StatusError

Wanted = Callable[[Namespace, T | None], T | None]
"""Pure: the object as it should be, given the one that is there; None if all is well."""


def is_open(namespace: Namespace) -> bool:
    """Whether anything can be made in it."""
    return not namespace.metadata.HasField("deletionTimestamp") and namespace.status.phase != "Terminating"


class NamespaceContent(Generic[T]):
    """Keeps the object `name` of a kind in every namespace that is not being deleted."""

    def __init__(self, context: Context, controller: str, kind: type[T], name: str, wanted: Wanted[T]) -> None:
        self._name = name
        self._wanted = wanted
        self._namespaces = context.informers.informer(Namespace)
        # Of a kind that may be many, these are few.
        self._objects = context.informers.informer(kind, Selection(field_selector=f"metadata.name={name}"))
        self._client = context.client.resource(kind)
        self._controller = Controller(controller, self.reconcile, metrics=context.metrics.queues)
        self._controller.watch(self._namespaces)
        self._controller.watch(self._objects, _namespace_of)

    @property
    def controllers(self) -> Sequence[Controller]:
        """Its one loop."""
        return (self._controller,)

    async def run(self) -> None:
        """Work until cancelled."""
        await self._controller.run()

    async def reconcile(self, key: ObjectKey) -> None:
        """Make or mend one namespace's object.

        Raises:
            StatusError: it could not be written.
        """
        namespace = self._namespaces.cache.get(key)
        if namespace is None or not is_open(namespace):
            return
        existing = self._objects.cache.get(ObjectKey(key.name, self._name))
        wanted = self._wanted(namespace, existing)
        if wanted is None:
            return
        client = self._client.in_namespace(key.name)
        try:
            await (client.create(wanted) if existing is None else client.update(wanted))
        except StatusError as error:
            # The cache is late, or the namespace is gone: either is told to us next.
            if not is_there(error) and not is_missing(error):
                raise


def _namespace_of(obj: T) -> Iterable[ObjectKey]:
    return (ObjectKey("", obj.metadata.namespace),)
