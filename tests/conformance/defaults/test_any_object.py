"""Whatever an author writes, the pure steps of a write come to an answer and leave an object that can be stored."""

import contextlib

import pytest
from google.protobuf.message import Message
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubewire.apiserver.admission.contracts import Operation, Request
from kubewire.apiserver.admission.table import Admission
from kubewire.apiserver.contracts import Identity
from kubewire.apiserver.defaults.table import apply_defaults
from kubewire.apiserver.options import DeleteOptions
from kubewire.apiserver.strategy.contracts import WriteContext
from kubewire.apiserver.strategy.metadata import metadata_of, snapshot
from kubewire.apiserver.strategy.table import strategy_for
from kubewire.machinery.codec.decode import decode
from kubewire.machinery.codec.errors import MalformedProtobuf
from kubewire.machinery.codec.stored_form import restore
from kubewire.machinery.errors import StatusError
from kubewire.machinery.messages import message_class
from kubewire.machinery.resources import Resource, builtin
from tests.conformance.wire.fixtures import Fixture, load
from tests.conformance.wire.messages import random_messages

CONTEXT = WriteContext(now_seconds=1_000, identity=Identity("author"))
OBJECTS = [resource for resource in builtin().served() if resource.storage is not None]
BY_KIND = {str(resource.gvk): resource for resource in OBJECTS}


@st.composite
def objects(draw: st.DrawFn) -> tuple[Resource, Message]:
    """An object of any kind in stored form, made of anything."""
    resource = draw(st.sampled_from(OBJECTS))
    return resource, draw(objects_of(resource))


@st.composite
def objects_of(draw: st.DrawFn, resource: Resource) -> Message:
    """An object of one kind, with what the registry always gives it."""
    message = draw(random_messages(resource.message))
    try:
        restore(message)
    except MalformedProtobuf:
        message.Clear()
    meta = metadata_of(message)
    meta.name, meta.uid = "x", "u"
    return message


def assert_stored_form(message: Message) -> None:
    """The object is what would be stored."""
    again = snapshot(message)
    restore(again)
    assert again == message


def write(resource: Resource, message: Message, other: Message) -> None:
    """Every pure step of creating `message`, of changing it to `other`, of changing its status, of deleting it."""
    strategy = strategy_for(resource)
    apply_defaults(resource, message)
    once = snapshot(message)
    apply_defaults(resource, message)
    assert message == once, "defaults may be applied twice"
    with contextlib.suppress(StatusError):
        Admission().mutate(message, Request(resource, Operation.CREATE, "n", "x"))
    strategy.prepare_create(message, CONTEXT)
    assert_stored_form(message)
    strategy.validate_create(message)
    strategy.warnings(message)
    strategy.graceful_deletion(message, DeleteOptions())
    strategy.is_held(message)

    ways = {"": strategy, **strategy.subresources}
    for name, way in ways.items():
        new = snapshot(other)
        apply_defaults(resource, new)
        way.prepare_update(new, message, CONTEXT)
        assert_stored_form(new)
        way.validate_update(new, message)
        same = snapshot(message)
        way.prepare_update(same, message, CONTEXT)
        # A resize goes by names, and a pod that could be stored has no two containers of one name.
        assert name == "resize" or metadata_of(same).generation == metadata_of(message).generation, "nothing changed"


@given(first=objects(), data=st.data())
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_object_gets_an_answer(first: tuple[Resource, Message], data: st.DataObject) -> None:
    """No object, however odd, makes a step fail; what they leave is in stored form."""
    resource, message = first
    write(resource, message, data.draw(objects_of(resource)))


FULL = [item for item in load("kubernetes") if str(item.gvk) in BY_KIND]


@pytest.mark.parametrize("fixture", FULL, ids=lambda item: str(item.gvk))
def test_full_objects_get_an_answer(fixture: Fixture) -> None:
    """Objects in which every field is set pass through all steps."""
    resource = BY_KIND[str(fixture.gvk)]
    message = decode(fixture.value, message_class(resource.message))
    write(resource, message, snapshot(message))
