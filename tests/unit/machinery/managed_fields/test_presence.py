"""Presence: equal for messages whose creates own the same, and none where more than presence decides."""

from kubewire.api.coordination.v1.lease_pb2 import Lease
from kubewire.api.core.v1.config_map_pb2 import ConfigMap
from kubewire.api.core.v1.event_pb2 import Event
from kubewire.machinery.managed_fields.presence import presence_of


def event(message: str = "m") -> Event:
    """An event about a pod."""
    made = Event(message=message, count=1)
    made.metadata.name = message
    made.involvedObject.name = "p"
    return made


def test_values_do_not_matter() -> None:
    """Nor does metadata."""
    assert presence_of(event("one")) == presence_of(event("two")) is not None


def test_fields_matter() -> None:
    """Wherever they are, and also where only their emptiness is told."""
    more, deeper, empty = event(), event(), event(message="")
    more.reason = "r"
    deeper.involvedObject.kind = "Pod"
    assert len({presence_of(one) for one in (event(), more, deeper, empty)}) == 4


def test_a_field_is_known_by_its_place() -> None:
    """The same number in another message is another field."""
    outer, inner = Event(), Event()
    outer.source.SetInParent()
    outer.involvedObject.SetInParent()
    inner.involvedObject.kind = "Pod"
    assert presence_of(outer) != presence_of(inner)


def test_maps_and_lists_have_none() -> None:
    """Their keys and items are owned one by one."""
    made = ConfigMap()
    assert presence_of(made) == ()
    made.data["k"] = "v"
    assert presence_of(made) is None
    lease = Lease()
    lease.metadata.labels["k"] = "v"
    lease.spec.holderIdentity = "h"
    assert presence_of(lease) is not None
