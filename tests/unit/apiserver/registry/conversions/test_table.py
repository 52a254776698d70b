"""Kinds that are stored under another version's name have that version's layout, or are converted."""

from typing import cast

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from kubewire.apiserver.registry.conversions.table import conversion_of
from kubewire.apiserver.registry.kinds import kept_as
from kubewire.machinery.messages import message_class
from kubewire.machinery.resources import Resource, builtin, proto_package


def test_whatever_is_served_otherwise_than_it_is_kept_is_converted() -> None:
    """Of two served versions of a kind, the one that is not kept has a conversion; the kept one has none."""
    kept = kept_as(builtin())
    for resource in builtin().served():
        if resource.storage is not None:
            assert (conversion_of(resource) is None) == (kept[resource.storage.prefix] == resource)


def test_kinds_without_conversion_have_the_layout_they_are_stored_in() -> None:
    """Where bytes are passed on unchanged, the messages agree field by field, all the way down."""
    for resource in kept_as(builtin()).values():
        assert resource.storage is not None
        if resource.storage.encoding == "protobuf":
            message = stored(resource)
            assert layout(descriptor(message_class(resource.message))) == layout(message), resource.gvk


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
