"""Every kind a stock server serves in another version than it stores is converted."""

from typing import cast

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from kubewire.apiserver.registry.conversions.table import CONVERSIONS, SAME_LAYOUT, conversion_of
from kubewire.machinery.messages import message_class
from kubewire.machinery.resources import Resource, builtin, proto_package


def test_kinds_served_as_they_are_stored_are_not_converted() -> None:
    """Pods are pods."""
    pods = builtin().by_plural("", "v1", "pods")
    assert pods is not None
    assert conversion_of(pods) is None


def test_kinds_without_conversion_really_have_the_same_layout() -> None:
    """Where bytes are passed on unchanged, the messages agree field by field, all the way down."""
    for resource in builtin().all:
        if resource.storage and resource.gvk in CONVERSIONS and CONVERSIONS[resource.gvk] is SAME_LAYOUT:
            assert layout(descriptor(message_class(resource.message))) == layout(stored(resource))


def stored(resource: Resource) -> Descriptor:
    """The message the kind is stored as."""
    assert resource.storage is not None
    group, version = resource.storage.version
    return descriptor(message_class(f"{proto_package(group, version)}.{resource.kind}"))


def descriptor(message: type[Message]) -> Descriptor:
    """The message's fields; the stubs know several classes for them."""
    return cast("Descriptor", message.DESCRIPTOR)


def layout(message: Descriptor, above: frozenset[str] = frozenset()) -> object:
    """Names, numbers and types of all fields, down to the leaves; recursion is cut where a message repeats."""
    if message.full_name in above:
        return message.name
    inside = above | {message.full_name}
    return [
        (field.name, field.number, field.type, layout(field.message_type, inside) if field.message_type else None)
        for field in message.fields
    ]
