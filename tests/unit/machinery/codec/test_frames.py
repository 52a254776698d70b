"""Lists and watch events around bytes."""

from kubewire.api.core.v1.pod_pb2 import Pod, PodList
from kubewire.api.meta.v1.watch_event_pb2 import WatchEvent
from kubewire.machinery.codec.encode import encode
from kubewire.machinery.codec.envelope import unwrap
from kubewire.machinery.codec.frames import list_item, list_json, list_message, list_meta, watch_frame, watch_line
from kubewire.machinery.gvk import GroupVersionKind

PODS = [Pod(), Pod()]
for number, pod in enumerate(PODS):
    pod.metadata.name = f"pod-{number}" * 30


def test_a_list_of_bytes_is_a_list_message() -> None:
    """Metadata and items as protobuf itself would write them."""
    raw = list_message(list_meta("17", "more", 5), [list_item(pod.SerializeToString()) for pod in PODS])
    found = PodList.FromString(raw)
    assert list(found.items) == PODS
    meta = found.metadata
    assert (meta.resourceVersion, getattr(meta, "continue"), meta.remainingItemCount) == ("17", "more", 5)
    assert not PodList.FromString(list_message(list_meta("17"), [])).metadata.HasField("remainingItemCount")


def test_a_list_of_json_is_a_list() -> None:
    """As the JSON of the message would be."""
    gvk = GroupVersionKind("", "v1", "PodList")
    message = PodList(items=PODS)
    message.metadata.resourceVersion = "17"
    setattr(message.metadata, "continue", "<&>")
    text = list_json(gvk, {"resourceVersion": "17", "continue": "<&>"}, map(encode, PODS))
    assert text == encode(message, gvk)
    assert list_json(gvk, {}, []) == encode(PodList(), gvk)


def test_a_watch_event_is_framed_for_protobuf() -> None:
    """Four bytes of length, the event, in it the object in its own envelope."""
    frame = watch_frame("ADDED", PODS[0].SerializeToString(), "v1", "Pod")
    assert int.from_bytes(frame[:4], "big") == len(frame) - 4
    event = WatchEvent.FromString(frame[4:])
    assert event.type == "ADDED"
    assert unwrap(event.object.raw) == ("v1", "Pod", PODS[0].SerializeToString())


def test_a_watch_event_is_a_line_of_json() -> None:
    """One line each."""
    assert watch_line("DELETED", b'{"a":1}') == b'{"type":"DELETED","object":{"a":1}}\n'
