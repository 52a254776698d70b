"""Subresources that exchange something else than the object: scale, binding, eviction, token, finalize.

Which kinds have which is in the types: `client.resource(Node).bind(...)` does not pass a type checker.
"""

from __future__ import annotations

from collections.abc import Sequence

from kubewire.api.authentication.v1.token_request_pb2 import TokenRequest
from kubewire.api.autoscaling.v1.scale_pb2 import Scale
from kubewire.api.core.v1.binding_pb2 import Binding
from kubewire.api.core.v1.namespace_pb2 import Namespace
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.api.core.v1.service_account_pb2 import ServiceAccount
from kubewire.api.policy.v1.eviction_pb2 import Eviction
from kubewire.client.objects import T
from kubewire.client.resources import options as encoded
from kubewire.client.resources.batches import chunks
from kubewire.client.resources.calls import Calls
from kubewire.client.resources.methods import Verb
from kubewire.client.resources.options import Deleting, Writing
from kubewire.machinery.errors import StatusError
from kubewire.rpc.v1.raw_responses_pb2 import RawStatuses

_PLAIN = Writing()
_NO_CONDITION = Deleting()


class Subresources(Calls[T]):
    """Calls on subresources, part of `ResourceClient`. They go to typed services alone, not to ObjectService."""

    __slots__ = ()

    async def get_scale(self, name: str) -> Scale:
        """How many replicas a workload should have and has.

        Raises:
            StatusError: NotFound, MethodNotAllowed for kinds that cannot be scaled.
        """
        return Scale.FromString(await self._send(Verb.GET, self._request(names=(name,)), "scale"))

    async def update_scale(self, name: str, scale: Scale, writing: Writing = _PLAIN) -> Scale:
        """Set the number of replicas; Conflict when the workload changed since the version in `scale`."""
        request = self._request(encoded.update_options(writing), names=(name,), objects=(scale.SerializeToString(),))
        return Scale.FromString(await self._send(Verb.UPDATE, request, "scale"))

    async def bind(self: Subresources[Pod], binding: Binding, writing: Writing = _PLAIN) -> None:
        """Assign a pod, named by the binding's metadata, to the node that is its target.

        Raises:
            StatusError: Conflict, when the pod is assigned already or the uid in the metadata is another one's.
        """
        metadata = binding.metadata
        request = self._request(
            encoded.create_options(writing), names=(metadata.name,), objects=(binding.SerializeToString(),)
        )
        request.namespace = self._namespace or metadata.namespace
        await self._send(Verb.CREATE, request, "binding")

    async def bind_many(
        self: Subresources[Pod], bindings: Sequence[Binding], writing: Writing = _PLAIN
    ) -> list[StatusError | None]:
        """Assign many pods, each for itself: None, or why not, in the order of `bindings`."""
        outcomes: list[StatusError | None] = []
        for chunk in chunks([binding.SerializeToString() for binding in bindings]):
            request = self._request(encoded.create_options(writing), objects=chunk)
            statuses = RawStatuses.FromString(await self._send(Verb.CREATE_BATCH, request, "binding"))
            outcomes += [
                StatusError.from_proto(status) if status.status == "Failure" else None for status in statuses.results
            ]
        return outcomes

    async def evict(self: Subresources[Pod], name: str, deleting: Deleting = _NO_CONDITION) -> None:
        """Delete a pod if its disruption budgets allow it now.

        Raises:
            StatusError: TooManyRequests, when a budget forbids it: try again later.
        """
        eviction = Eviction(deleteOptions=encoded.delete_options(deleting))
        eviction.metadata.name = name
        eviction.metadata.namespace = self._namespace
        request = self._request(names=(name,), objects=(eviction.SerializeToString(),))
        await self._send(Verb.CREATE, request, "eviction")

    async def create_token(self: Subresources[ServiceAccount], name: str, wanted: TokenRequest) -> TokenRequest:
        """A token for a service account, in the answer's status."""
        request = self._request(names=(name,), objects=(wanted.SerializeToString(),))
        return TokenRequest.FromString(await self._send(Verb.CREATE, request, "token"))

    async def finalize(self: Subresources[Namespace], namespace: Namespace, writing: Writing = _PLAIN) -> Namespace:
        """Replace the finalizers of a namespace's spec."""
        request = self._request(encoded.update_options(writing), objects=(namespace.SerializeToString(),))
        return Namespace.FromString(await self._send(Verb.UPDATE, request, "finalize"))
