"""Events are the same events in both groups."""

from __future__ import annotations

import pytest
from google.protobuf.message import Message

from kubewire.api.core.v1.event_pb2 import Event as CoreEvent
from kubewire.api.events.v1.event_pb2 import Event
from kubewire.apiserver.registry.conversions.events import kept_field, to_kept, to_served
from kubewire.apiserver.registry.conversions.renumber import MalformedMessage
from kubewire.apiserver.selectable import selectable_fields
from kubewire.machinery.resources import builtin


def core_event() -> CoreEvent:
    """An event with every field set."""
    made = CoreEvent(
        reason="Started",
        message="m",
        count=3,
        type="Normal",
        action="a",
        reportingComponent="kubelet",
        reportingInstance="n",
    )
    made.metadata.name = "e"
    made.metadata.namespace = "default"
    made.involvedObject.kind = "Pod"
    made.involvedObject.name = "p"
    made.source.component = "kubelet"
    made.firstTimestamp.seconds = 1
    made.lastTimestamp.seconds = 2
    made.eventTime.seconds = 3
    made.series.count = 4
    made.related.kind = "Node"
    assert len(made.ListFields()) == len(made.DESCRIPTOR.fields)
    return made


def served(event: Message) -> Event:
    """The event in the other group."""
    return Event.FromString(to_served(event.SerializeToString()))


def test_every_field_has_its_place() -> None:
    """All fields arrive under the names events.k8s.io/v1 has for them."""
    event = served(core_event())
    assert len(event.ListFields()) == len(event.DESCRIPTOR.fields)
    assert event.metadata.name == "e"
    assert event.regarding.name == "p"
    assert (event.note, event.reason, event.action) == ("m", "Started", "a")
    assert (event.deprecatedCount, event.series.count) == (3, 4)
    assert (event.deprecatedFirstTimestamp.seconds, event.deprecatedLastTimestamp.seconds) == (1, 2)
    assert (event.reportingController, event.reportingInstance) == ("kubelet", "n")
    assert event.deprecatedSource.component == "kubelet"


def test_nothing_is_lost_on_the_way_back() -> None:
    """Converting to the other group and back gives the same message."""
    raw = core_event().SerializeToString()
    assert CoreEvent.FromString(to_kept(to_served(raw))) == core_event()


def test_bytes_that_are_no_message_are_refused() -> None:
    """Truncated bytes do not become a shorter event."""
    raw = core_event().SerializeToString()
    for length in range(1, len(raw)):
        try:
            to_served(raw[:length])
        except MalformedMessage:
            continue
        CoreEvent.FromString(raw[:length])  # cut between two fields: a message of its own
    with pytest.raises(MalformedMessage):
        to_served(b"\x0f")


def test_selectors_of_one_group_find_what_the_other_stores() -> None:
    """Each field one may select by in events.k8s.io/v1 has the same value under the stored kind's name."""
    table = builtin()
    core = table.by_kind("", "v1", "Event")
    other = table.by_kind("events.k8s.io", "v1", "Event")
    assert core is not None
    assert other is not None
    stored = selectable_fields(core, "default", "e", core_event())
    for field, value in selectable_fields(other, "default", "e", served(core_event())).items():
        assert stored[kept_field(field)] == value
