"""Streams of pods as both faces ask for them: authorized, the container found, and the node's kubelet called.

What a kubelet is sent are the messages of our own PodService with everything filled in, so that a face can pass on
what its client sends without looking into it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from kubewire.apiserver.options import GetOptions
from kubewire.apiserver.registry import reads
from kubewire.apiserver.streams import log_options
from kubewire.apiserver.streams.containers import container_of, node_of
from kubewire.machinery import errors
from kubewire.rpc.core.v1.pod_service_pb2 import (
    AttachPodRequest,
    ExecPodRequest,
    PortForwardPodRequest,
    StreamPodLogsRequest,
)

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from kubewire.api.core.v1.node_pb2 import Node
    from kubewire.api.core.v1.pod_pb2 import Pod
    from kubewire.apiserver.contracts import Call
    from kubewire.apiserver.registry.core import Core
    from kubewire.apiserver.streams.kubelets import Kubelets
    from kubewire.apiserver.streams.session import Session
    from kubewire.machinery.resources import Resource

RequestT = TypeVar("RequestT", StreamPodLogsRequest, ExecPodRequest, AttachPodRequest, PortForwardPodRequest)
CommandT = TypeVar("CommandT", ExecPodRequest, AttachPodRequest)
CREATE: Final = "create"
_LATEST: Final = GetOptions()
_CACHED: Final = GetOptions(resource_version="0")
_COMPLETED: Final = frozenset({"Succeeded", "Failed"})


class Prepared(NamedTuple):
    """A call that may be made: everything that can be known without the node is right."""

    kubelets: Kubelets
    node: Node
    method: str
    first: Message

    def to_port(self, port: int) -> Prepared:
        """The same, to a port."""
        first = PortForwardPodRequest.FromString(self.first.SerializeToString())
        first.options.ports[:] = [port]
        return self._replace(first=first)

    async def open(self) -> Session:
        """Make the call; close what it gives.

        Raises:
            StatusError: 503, the node cannot be reached.
        """
        return await self.kubelets.exchange(self.node, self.method, self.first.SerializeToString())


class PodStreams:
    """Logs, exec, attach and port-forward of pods."""

    def __init__(self, core: Core, nodes: Resource, kubelets: Kubelets) -> None:
        self._core = core
        self._nodes = nodes
        self._kubelets = kubelets

    def authorize(self, call: Call, verb: str) -> None:
        """Raises StatusError 403 unless the caller may do this; over HTTP, `get` opens a WebSocket, which creates."""
        self._core.authorize(call, verb)
        if verb != CREATE:
            self._core.authorize(call, CREATE)

    async def logs(self, call: Call, request: StreamPodLogsRequest) -> Session | None:
        """The log of a container, StreamPodLogsResponses; None while the pod has no node, and so no log.

        Raises:
            StatusError: there is no such pod or container, its log cannot be had, or the node cannot be reached.
        """
        self._core.authorize(call, "get")
        log_options.check(call.name, request.options)
        pod = await self._pod(call)
        request.options.container = container_of(pod, request.options.container)
        if not pod.spec.nodeName:
            return None
        session = await self._kubelets.receive(
            await self._node(call, pod), "StreamLogs", _addressed(call, request).SerializeToString()
        )
        try:
            await session.opened()
        except BaseException:
            session.close()
            raise
        return session

    async def execute(self, call: Call, request: ExecPodRequest) -> Prepared:
        """A command in a container: ExecPodRequests in, ExecPodResponses out. The caller is authorized.

        Raises:
            StatusError: there is no such pod or container, or it cannot run commands.
        """
        return await self._in_container(call, request, "Exec")

    async def attach(self, call: Call, request: AttachPodRequest) -> Prepared:
        """The process of a container: AttachPodRequests in, AttachPodResponses out. The caller is authorized.

        Raises:
            StatusError: as for `execute`.
        """
        return await self._in_container(call, request, "Attach")

    async def forward(self, call: Call, request: PortForwardPodRequest) -> Prepared:
        """A connection to a port: PortForwardPodRequests in, PortForwardPodResponses out. The caller is authorized.

        Raises:
            StatusError: as for `execute`.
        """
        pod = await self._pod(call)
        return Prepared(self._kubelets, await self._node(call, pod), "PortForward", _addressed(call, request))

    async def _in_container(self, call: Call, request: CommandT, method: str) -> Prepared:
        pod = await self._pod(call)
        request.options.container = container_of(pod, request.options.container)
        node = await self._node(call, pod)
        if pod.status.phase in _COMPLETED:
            phase = pod.status.phase
            raise errors.bad_request(
                f"cannot {method.lower()} into a container in a completed pod; current phase is {phase}"
            )
        return Prepared(self._kubelets, node, method, _addressed(call, request))

    async def _pod(self, call: Call) -> Pod:
        item = await reads.get(self._core, replace(call, subresource=""), _LATEST)
        return item.message  # type: ignore[return-value]  # the call is about pods

    async def _node(self, call: Call, pod: Pod) -> Node:
        asked = replace(call, resource=self._nodes, namespace="", name=node_of(pod), subresource="")
        return (await reads.get(self._core, asked, _CACHED)).message  # type: ignore[return-value]  # of a node


def _addressed(call: Call, request: RequestT) -> RequestT:
    """The request with the pod it is about."""
    request.namespace, request.name = call.namespace, call.name
    return request
