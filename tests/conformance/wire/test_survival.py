"""Any message of any served kind survives every way from one form to another."""

import pytest
from google.protobuf.message import Message
from hypothesis import HealthCheck, Verbosity, given, settings

from kubewire.machinery.codec.careful_reader import CarefulReader
from kubewire.machinery.codec.decode import FieldValidation, decode
from kubewire.machinery.codec.document import parse_carefully
from kubewire.machinery.codec.encode import encode, to_dict
from kubewire.machinery.codec.stored_form import restore
from kubewire.machinery.codec.yaml_reader import decode_yaml
from kubewire.machinery.codec.yaml_writer import encode_yaml
from tests.conformance.wire.messages import KINDS, full_message, random_messages

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
few = settings(max_examples=150, deadline=None, suppress_health_check=SLOW)
many = settings(max_examples=10_000, deadline=None, suppress_health_check=SLOW, verbosity=Verbosity.quiet)


def assert_survives(message: Message) -> None:
    """All properties of one message."""
    before = encode(message)
    stored = type(message).FromString(message.SerializeToString())
    restore(stored)
    assert encode(stored) == before, "the stored form has another JSON form"
    again = type(message).FromString(stored.SerializeToString())
    restore(again)
    assert again == stored, "the stored form of the stored form differs"
    assert decode(before, type(message), validation=FieldValidation.STRICT) == stored, "JSON is read as something else"
    assert_read_alike(before, stored)
    value = to_dict(message)
    assert to_dict(decode(value, type(message))) == value
    assert decode_yaml(encode_yaml(value)) == [value]


def assert_read_alike(text: bytes, stored: Message) -> None:
    """The careful reader agrees with the fast one."""
    careful, message = CarefulReader(), type(stored)()
    careful.fill(message, stored.DESCRIPTOR.full_name, parse_carefully(text))
    assert (message, careful.problems) == (stored, [])


@pytest.mark.parametrize("name", KINDS)
def test_every_field_of_every_kind_survives(name: str) -> None:
    """A message with every field set comes back from JSON and YAML as it was."""
    assert_survives(full_message(name))


@pytest.mark.parametrize("name", KINDS)
def test_an_empty_message_of_every_kind_survives(name: str) -> None:
    """A message with no field set comes back as such, although its JSON has members."""
    message = type(full_message(name))()
    assert_survives(message)
    assert decode(encode(message), type(message)) == message


@few
@given(message=random_messages())
def test_any_message_survives(message: Message) -> None:
    """Random messages of random kinds, with explicit zeros, odd texts and odd amounts."""
    assert_survives(message)


@pytest.mark.long
@many
@given(message=random_messages())
def test_very_many_messages_survive(message: Message) -> None:
    """The same for as long as it takes to be sure."""
    assert_survives(message)
