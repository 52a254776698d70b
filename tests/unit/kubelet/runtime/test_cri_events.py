"""What happens in the runtime, by CRI's own events or by containerd's."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import cast

import pytest
from google.protobuf.message import Message

from kubewire.containerd.events_pb2 import TaskExit, TaskOOM
from kubewire.containerd.types_pb2 import Envelope
from kubewire.cri.v1 import api_pb2 as cri
from kubewire.kubelet.errors import RuntimeCallError
from kubewire.kubelet.runtime.cri_calls import CriCalls
from kubewire.kubelet.runtime.cri_events import follow

ENDED = RuntimeCallError("stream", "UNAVAILABLE", "the runtime ended the stream")
NONE = RuntimeCallError("GetContainerEvents", "UNIMPLEMENTED", "unknown method")


class Streams:
    """Streams by the last word of their path: messages, and what ends them."""

    def __init__(self, **streams: tuple[Sequence[Message], RuntimeCallError]) -> None:
        self._streams = streams

    async def stream(self, path: str, request: Message, answer: type[Message]) -> AsyncIterator[Message]:
        messages, end = self._streams[path.rpartition("/")[2]]
        for message in messages:
            yield answer.FromString(message.SerializeToString())
        raise end


async def heard(streams: Streams) -> tuple[list[tuple[str, str]], RuntimeCallError]:
    """What is told, and what ended it."""
    told: list[tuple[str, str]] = []
    on_change: Callable[[str, str], None] = lambda changed, uid: told.append((changed, uid))  # noqa: E731
    with pytest.raises(RuntimeCallError) as caught:
        await follow(cast("CriCalls", streams), on_change)
    return told, caught.value


def task(topic: str, event: Message) -> Envelope:
    """One of containerd's events."""
    envelope = Envelope(topic=topic, namespace="k8s.io")
    envelope.event.value = event.SerializeToString()
    return envelope


async def test_cri_tells_whose_container_it_is() -> None:
    """Where the runtime has events of its own."""
    event = cri.ContainerEventResponse(container_id="c1")
    event.pod_sandbox_status.metadata.uid = "u1"
    told, end = await heard(Streams(GetContainerEvents=([event], ENDED)))
    assert (told, end) == ([("c1", "u1")], ENDED)


async def test_containerd_tells_of_ends_where_cri_does_not() -> None:
    """Of a container's first process, and not of a probe's."""
    events = [
        task("/tasks/exit", TaskExit(container_id="c1", id="c1", exit_status=3)),
        task("/tasks/exit", TaskExit(container_id="c1", id="a-probe")),
        task("/tasks/oom", TaskOOM(container_id="c2")),
    ]
    told, end = await heard(Streams(GetContainerEvents=([], NONE), Subscribe=(events, ENDED)))
    assert (told, end) == ([("c1", ""), ("c2", "")], ENDED)


async def test_a_runtime_without_either_says_so() -> None:
    """Who follows lists instead."""
    told, end = await heard(Streams(GetContainerEvents=([], NONE), Subscribe=([], NONE)))
    assert (told, end.code) == ([], "UNIMPLEMENTED")
