"""`Objects` that also answers reviews: whatever is created there is filled in and handed back.

It stands in front of the registry, so that both faces answer alike. Everyone may ask about themselves (stock clusters
have the role `system:basic-user` for it); asking about others has to be authorized.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kubewire.apiserver.auth.authorization import Attributes
from kubewire.apiserver.contracts import Body, Call, Objects, Written
from kubewire.apiserver.item import Item
from kubewire.apiserver.options import WriteOptions
from kubewire.apiserver.registry.decoding import decode_message
from kubewire.apiserver.reviews.answers import Judges
from kubewire.apiserver.reviews.table import REVIEWS
from kubewire.machinery.errors import StatusError

if TYPE_CHECKING:
    from kubewire.apiserver.reviews.table import Review


class ReviewingObjects:
    """Implements `Objects`: reviews by itself, all else by another."""

    def __init__(self, objects: Objects, judges: Judges) -> None:
        self._objects = objects
        self._judges = judges
        self.get = objects.get
        self.list = objects.list
        self.watch = objects.watch
        self.update = objects.update
        self.patch = objects.patch
        self.delete = objects.delete
        self.delete_many = objects.delete_many
        self.delete_collection = objects.delete_collection

    async def create(self, call: Call, body: Body, options: WriteOptions) -> Written:
        """See `Objects`."""
        review = _review_of(call)
        if review is None:
            return await self._objects.create(call, body, options)
        return self._answer(review, call, body, options)

    async def create_many(
        self, call: Call, bodies: Sequence[Body], options: WriteOptions
    ) -> Sequence[Written | StatusError]:
        """See `Objects`."""
        review = _review_of(call)
        if review is None:
            return await self._objects.create_many(call, bodies, options)
        results: list[Written | StatusError] = []
        for body in bodies:
            try:
                results.append(self._answer(review, call, body, options))
            except StatusError as error:
                results.append(error)
        return results

    def _answer(self, review: Review, call: Call, body: Body, options: WriteOptions) -> Written:
        resource = call.resource
        if not review.is_about_self:
            what = (resource.group, resource.version, resource.plural)
            self._judges.authorization.require(Attributes(call.identity, "create", *what, namespace=call.namespace))
        message = decode_message(body, resource.gvk, call, options)
        review.answer(message, call, self._judges)
        return Written(Item(resource, call.namespace, "", 0, message.SerializeToString()), created=True)


def _review_of(call: Call) -> Review | None:
    """The review a call is about; None for what is stored."""
    if call.resource.storage is not None or call.subresource:
        return None
    return REVIEWS.get(call.resource.group_resource)
