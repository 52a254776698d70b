"""The way in: one `Client` on one transport gives the calls on every kind.

transport = GrpcTransport(GrpcOptions(endpoints=("10.0.0.1:6444",), ca_file=ca, token=token, user_agent="tool/1.0"))
client = Client(transport)
pod = await client.resource(Pod).in_namespace("default").get("web")
async for node in client.resource(Node).list(Selection("role=worker")): ...
"""

from __future__ import annotations

from kubewire.api.core.v1.node_pb2 import Node
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.client.objects import T
from kubewire.client.resources.calls import DEFAULT_TIMEOUT_SECONDS
from kubewire.client.resources.dynamic import DynamicClient
from kubewire.client.resources.kinds import typed_kind
from kubewire.client.resources.resource_client import ResourceClient
from kubewire.client.transport.transport import Transport


class Client:
    """Typed calls over one transport, which stays its owner's to close."""

    def __init__(self, transport: Transport, *, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS) -> None:
        self.transport = transport
        self._timeout_seconds = timeout_seconds

    def resource(self, kind: type[T], *, namespace: str = "") -> ResourceClient[T]:
        """Calls on the kind of a message class: `client.resource(Pod)` gives a `ResourceClient[Pod]`.

        Raises:
            UnknownKind: the class is not one of objects.
        """
        return ResourceClient(
            self.transport, typed_kind(kind), namespace=namespace, timeout_seconds=self._timeout_seconds
        )

    def pods(self, namespace: str = "") -> ResourceClient[Pod]:
        """Short for `resource(Pod, namespace=namespace)`."""
        return self.resource(Pod, namespace=namespace)

    def nodes(self) -> ResourceClient[Node]:
        """Short for `resource(Node)`."""
        return self.resource(Node)

    @property
    def dynamic(self) -> DynamicClient:
        """Calls on kinds by group, version and plural; any kind, custom resources included."""
        return DynamicClient(self.transport, timeout_seconds=self._timeout_seconds)
