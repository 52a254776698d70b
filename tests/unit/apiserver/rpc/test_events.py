"""Batches of events as messages."""

from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.apiserver.item import Batch, Event, Item
from kubewire.apiserver.rpc.events import MESSAGE_BYTES, MESSAGE_BYTES_AT_MOST, encode_batch
from kubewire.apiserver.rpc.forms import TYPED, TYPED_METADATA
from kubewire.machinery.resources import Resource
from kubewire.rpc.core.v1.pod_service_pb2 import WatchPodsResponse
from tests.memory_objects import added


def batch_of(resource: Resource, count: int, size: int) -> Batch:
    """Objects that came to be, of about `size` bytes each."""
    items = []
    for number in range(count):
        pod = Pod()
        pod.metadata.name = f"p{number}"
        pod.spec.nodeName = "x" * size
        items.append(Item(resource, "default", pod.metadata.name, number + 1, pod.SerializeToString()))
    return Batch([added(item) for item in items])


def test_an_initial_state_is_sent_in_messages_that_clients_take(pods: Resource) -> None:
    """A batch of many megabytes is split between events, nothing lost, nothing twice, in order."""
    batch = batch_of(pods, 4000, 1500)
    messages = encode_batch(batch, TYPED)
    assert len(messages) > 5
    assert max(map(len, messages)) <= MESSAGE_BYTES
    names = [event.object.metadata.name for data in messages for event in WatchPodsResponse.FromString(data).events]
    assert names == [f"p{number}" for number in range(4000)]
    assert batch.forms == {}


def test_one_large_object_is_one_message(pods: Resource) -> None:
    """An object over the limit is sent all the same, alone."""
    messages = encode_batch(batch_of(pods, 3, MESSAGE_BYTES + 10), TYPED)
    assert [len(WatchPodsResponse.FromString(data).events) for data in messages] == [1, 1, 1]


def test_changes_of_one_revision_stay_together(pods: Resource) -> None:
    """A lease that ends takes many objects with it: they are one message as long as clients take it."""
    items = [event.item for event in batch_of(pods, 1500, 1000).events]
    gone = Batch([Event("DELETED", item, item, 7) for item in items])
    [message] = encode_batch(gone, TYPED)
    assert MESSAGE_BYTES < len(message) <= MESSAGE_BYTES_AT_MOST
    both = Batch([*gone.events, *(Event("DELETED", item, item, 8) for item in items)])
    sent = [WatchPodsResponse.FromString(data).events for data in encode_batch(both, TYPED)]
    assert [len(events) for events in sent] == [1500, 1500]


def test_forms_are_kept_apart(pods: Resource) -> None:
    """Watchers of whole objects and watchers of metadata share batches, not bytes."""
    batch = batch_of(pods, 2, 100)
    [whole] = encode_batch(batch, TYPED)
    [metadata] = encode_batch(batch, TYPED_METADATA)
    assert WatchPodsResponse.FromString(whole).events[0].object.spec.nodeName
    assert not WatchPodsResponse.FromString(metadata).events[0].object.HasField("spec")
    assert encode_batch(batch, TYPED)[0] is whole
