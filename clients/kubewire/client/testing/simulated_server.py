"""A simulated API server: every typed service and ObjectService, over objects in memory.

Simulated are identities, versions and conflicts, status apart from the rest, finalizers, selections, consistent pages,
batches, binding, eviction, scale, patches, and watches with initial state, resumption and lost history. Not simulated
are defaults, validation, admission, field ownership, server-side apply, dry runs, grace periods and authorization: what
depends on them is tested against a real API server.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable
from typing import Any, Final

from kubewire.api.autoscaling.v1.scale_pb2 import Scale
from kubewire.api.core.v1.binding_pb2 import Binding
from kubewire.api.meta.v1.object_meta_pb2 import ListMeta
from kubewire.api.meta.v1.options_pb2 import DeleteOptions, ListOptions
from kubewire.api.meta.v1.status_pb2 import Status
from kubewire.client.objects import ObjectKey
from kubewire.client.resources.methods import Verb
from kubewire.client.resources.options import View
from kubewire.client.testing.asked import Asked
from kubewire.client.testing.calls import CallRecord, SimulatedCall
from kubewire.client.testing.patching import patched
from kubewire.client.testing.routes import find
from kubewire.client.testing.simulated_objects import SimulatedObjects
from kubewire.client.testing.simulated_watch import SimulatedWatch
from kubewire.machinery import errors
from kubewire.machinery.errors import Reason, StatusError
from kubewire.machinery.messages import message_class
from kubewire.rpc.v1.raw_pb2 import RawRequest
from kubewire.rpc.v1.raw_responses_pb2 import RawList, RawResults, RawStatuses

Object = Any
"""A message of any kind."""

_SUCCESS: Final = Status(metadata=ListMeta(), status="Success", code=201)


class SimulatedServer:
    """A dispatcher for `InProcessTransport`.

    Attributes:
        objects: what it serves.
        calls: every call that reached it, in order.
    """

    def __init__(self, objects: SimulatedObjects) -> None:
        self.objects = objects
        self.calls: list[CallRecord] = []
        self._verbs: dict[Verb, Callable[[Asked], bytes]] = {
            Verb.GET: self._get,
            Verb.LIST: self._list,
            Verb.CREATE: self._create,
            Verb.CREATE_BATCH: self._create_batch,
            Verb.UPDATE: self._update,
            Verb.PATCH: self._patch,
            Verb.DELETE: self._delete,
            Verb.DELETE_BATCH: self._delete_batch,
        }

    async def unary(self, path: str, context: SimulatedCall, data: bytes, /) -> bytes:
        """Serve a method that answers once."""
        await context.link.before()
        asked = self._read(path, context, data)
        serve = self._verbs.get(asked.verb)
        if serve is None:
            raise errors.method_not_supported(asked.resource.group_resource, asked.verb.value.lower())
        answer = serve(asked)
        context.link.after()
        return answer

    async def stream(self, path: str, context: SimulatedCall, data: bytes, /) -> AsyncGenerator[bytes, None]:
        """Serve a watch."""
        await context.link.before()
        asked = self._read(path, context, data)
        return SimulatedWatch(self.objects, asked).run(context.link)

    def _read(self, path: str, context: SimulatedCall, data: bytes) -> Asked:
        self.calls.append(CallRecord(path, context.user_agent, context.cause))
        route = find(path)
        if route is None:
            raise StatusError(404, Reason.NOT_FOUND, f"the simulated server has no method {path}")
        return Asked(route, RawRequest.FromString(data))

    def _get(self, asked: Asked) -> bytes:
        found = self.objects.get(asked.resource, asked.key)
        return _scale_of(found).SerializeToString() if asked.subresource == "scale" else asked.answer(found)

    def _list(self, asked: Asked) -> bytes:
        options = asked.options(ListOptions)
        shelf, token = self.objects.shelf(asked.resource), getattr(options, "continue")
        revision, _, start = token.partition(":")
        taken = shelf.kept_snapshot(int(revision)) if token else shelf.snapshot(self.objects.revision)
        if taken is None:
            raise errors.expired("The provided continue parameter is too old to display a consistent list result.")
        rest = asked.select(taken.objects, options)[int(start or 0) :]
        page = rest[: options.limit] if options.limit else rest
        answer = RawList(items=[asked.part(raw) for raw in page])
        answer.metadata.resourceVersion = str(taken.revision)
        if len(page) < len(rest):
            setattr(answer.metadata, "continue", f"{taken.revision}:{int(start or 0) + len(page)}")
            answer.metadata.remainingItemCount = len(rest) - len(page)
        return asked.page(answer.SerializeToString())

    def _create(self, asked: Asked) -> bytes:
        match asked.subresource:
            case "":
                return asked.answer(self.objects.create(asked.resource, asked.message, asked.request.namespace))
            case "binding":
                self.objects.bind(asked.resource, Binding.FromString(asked.object), asked.key)
            case "eviction":
                self.objects.delete(asked.resource, asked.key, DeleteOptions())
            case other:
                raise errors.method_not_supported(asked.resource.group_resource, f"create {other}")
        return _SUCCESS.SerializeToString()

    def _create_batch(self, asked: Asked) -> bytes:
        if asked.subresource == "binding":
            return self._bind_batch(asked)
        read = message_class(asked.resource.message)
        return _results(
            asked,
            asked.request.objects,
            lambda raw: self.objects.create(
                asked.resource, read.FromString(asked.unwrap(raw)), asked.request.namespace
            ),
        )

    def _bind_batch(self, asked: Asked) -> bytes:
        statuses = RawStatuses()
        for raw in asked.request.objects:
            binding = Binding.FromString(raw)
            key = ObjectKey(binding.metadata.namespace or asked.request.namespace, binding.metadata.name)
            try:
                self.objects.bind(asked.resource, binding, key)
            except StatusError as error:
                statuses.results.append(error.to_proto())  # type: ignore[arg-type]  # a Status, found by name
            else:
                statuses.results.append(_SUCCESS)
        return statuses.SerializeToString()

    def _update(self, asked: Asked) -> bytes:
        if asked.subresource == "scale":
            found = self.objects.get(asked.resource, asked.key)
            found.spec.replicas = Scale.FromString(asked.object).spec.replicas
            return _scale_of(self.objects.update(asked.resource, found)).SerializeToString()
        obj = asked.message
        if asked.request.namespace:
            obj.metadata.namespace = asked.request.namespace
        return asked.answer(self.objects.update(asked.resource, obj, asked.subresource))

    def _patch(self, asked: Asked) -> bytes:
        found = self.objects.get(asked.resource, asked.key)
        changed = patched(found, asked.request.patch_type, asked.request.patch)
        return asked.answer(self.objects.update(asked.resource, changed, asked.subresource))

    def _delete(self, asked: Asked) -> bytes:
        return asked.answer(self.objects.delete(asked.resource, asked.key, asked.options(DeleteOptions)))

    def _delete_batch(self, asked: Asked) -> bytes:
        options, names = asked.options(DeleteOptions), list(asked.request.names)
        if not names:
            selection = ListOptions.FromString(b"".join(asked.request.selection))
            selected = asked.select(list(self.objects.shelf(asked.resource).objects.values()), selection)
            names = [self.objects.read(asked.resource, raw).metadata.name for raw in selected]
        namespace = asked.request.namespace
        return _results(
            asked, names, lambda name: self.objects.delete(asked.resource, ObjectKey(namespace, name), options)
        )


def _results(asked: Asked, items: Iterable[Object], do: Callable[[Object], Object]) -> bytes:
    """What became of each item."""
    results = RawResults()
    for item in items:
        result = results.results.add()
        try:
            obj = do(item)
        except StatusError as error:
            result.status.CopyFrom(error.to_proto())  # type: ignore[arg-type]  # a Status, found by name
        else:
            if asked.request.view != View.NONE:
                result.object = asked.answer(obj)
    return results.SerializeToString()


def _scale_of(obj: Object) -> Scale:
    scale = Scale()
    for name in ("name", "namespace", "uid", "resourceVersion"):
        setattr(scale.metadata, name, getattr(obj.metadata, name))
    scale.spec.replicas = obj.spec.replicas
    scale.status.replicas = obj.status.replicas
    return scale
