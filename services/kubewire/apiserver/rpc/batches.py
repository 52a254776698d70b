"""Batch calls: many objects, each written on its own, with a result each in the order of the request.

A batch is not atomic: each object is a transaction of its own, and all of them are on their way at once.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from kubewire.apiserver.contracts import Body, Deleted, Encoding, Written
from kubewire.apiserver.rpc import request as requests
from kubewire.apiserver.rpc.actions import SUCCESS
from kubewire.apiserver.rpc.asked import unwrap
from kubewire.apiserver.rpc.forms import result
from kubewire.apiserver.rpc.methods import Verb
from kubewire.machinery import errors
from kubewire.machinery.errors import StatusError
from kubewire.machinery.wire import field, header

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence

    from kubewire.apiserver.contracts import Objects
    from kubewire.apiserver.rpc.asked import Asked

Outcome = Written | Deleted | StatusError

_RESULTS: Final = 1
_STATUS: Final = 2


class Batches:
    """The verbs on many objects."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self.by_verb: Mapping[Verb, Callable[[Asked], Awaitable[bytes]]] = {
            Verb.CREATE_BATCH: self.create,
            Verb.DELETE_BATCH: self.delete,
        }

    async def create(self, asked: Asked) -> bytes:
        """Create objects, in the request's namespace or, if it names none, each in its own."""
        raws = requests.batch_of(asked.request)
        if asked.is_generic:
            raws = [unwrap(raw, asked.call.resource) for raw in raws]
        outcomes = await self._create_by_namespace(asked, raws)
        return _statuses(outcomes) if asked.call.subresource else _results(asked, outcomes)

    async def delete(self, asked: Asked) -> bytes:
        """Delete objects by name, or all that a selection matches."""
        options = requests.delete_options(asked.options)
        names = list(asked.request.names)
        if names:
            requests.check_batch(len(names))
            return _results(asked, await self._objects.delete_many(asked.call, names, options))
        if not asked.request.selection:
            raise errors.bad_request("names or selection: want one of them; an empty selection means all objects")
        selection = requests.list_options(requests.joined(asked.request.selection))
        items = await self._objects.delete_collection(asked.call, options, selection)
        return _results(asked, [Deleted(item, is_gone=True) for item in items])

    async def _create_by_namespace(self, asked: Asked, raws: Sequence[bytes]) -> Sequence[Written | StatusError]:
        """One batch of the core for each namespace, side by side; a refused namespace refuses its objects alone."""
        call, options = asked.call, requests.create_options(asked.options)
        if call.namespace or not call.resource.namespaced:
            return await self._objects.create_many(call, [_body(raw) for raw in raws], options)
        outcomes: dict[int, Written | StatusError] = {}

        async def create(namespace: str, places: Sequence[int]) -> None:
            bodies = [_body(raws[place]) for place in places]
            created: Sequence[Written | StatusError]
            try:
                created = await self._objects.create_many(replace(call, namespace=namespace), bodies, options)
            except StatusError as error:
                created = [error] * len(places)
            outcomes.update(zip(places, created, strict=True))

        by_namespace = _places_by_namespace(raws, outcomes)
        await _all(create(namespace, places) for namespace, places in by_namespace.items())
        return [outcomes[place] for place in range(len(raws))]


def _places_by_namespace(raws: Sequence[bytes], refused: dict[int, Written | StatusError]) -> dict[str, list[int]]:
    """Which objects name which namespace; those that name none go into `refused`."""
    places: dict[str, list[int]] = defaultdict(list)
    for place, raw in enumerate(raws):
        try:
            namespace, _ = requests.identity_of(raw)
            if not namespace:
                raise errors.bad_request("namespace: want one in the request or in the object's metadata")
        except StatusError as error:
            refused[place] = error
        else:
            places[namespace].append(place)
    return places


async def _all(work: Iterable[Coroutine[None, None, None]]) -> None:
    async with asyncio.TaskGroup() as group:
        for one in work:
            group.create_task(one)


def _body(raw: bytes) -> Body:
    return Body(raw, Encoding.PROTOBUF)


def _results(asked: Asked, outcomes: Iterable[Outcome]) -> bytes:
    """`repeated Result results = 1`, in order."""
    form, view = asked.form, asked.view
    parts: list[bytes] = []
    for outcome in outcomes:
        if isinstance(outcome, StatusError):
            data = field(_STATUS, outcome.to_proto().SerializeToString())
        else:
            data = result(form, view, outcome.item.raw)
        parts += (header(_RESULTS, len(data)), data)
    return b"".join(parts)


def _statuses(outcomes: Iterable[Outcome]) -> bytes:
    """`repeated Status results = 1`, in order: what is posted to subresources is not given back."""
    return b"".join(
        field(_RESULTS, outcome.to_proto().SerializeToString() if isinstance(outcome, StatusError) else SUCCESS)
        for outcome in outcomes
    )
