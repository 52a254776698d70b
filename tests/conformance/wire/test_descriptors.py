"""The messages, enums and calls the project speaks are those of Kubernetes and its peers, field by field."""

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, FileDescriptor

FACTS = Path(__file__).parents[2] / "data" / "wire"
SCALARS = {
    value: name.removeprefix("TYPE_").lower()
    for name, value in vars(FieldDescriptor).items()
    if name.startswith("TYPE_")
}
TREES = {"kubernetes": "api", "cri": "cri", "containerd": "containerd", "etcd": "etcd"}


def type_of(field: FieldDescriptor) -> str:
    """A field's type as the facts name it."""
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        entry = field.message_type.fields_by_name
        return f"map<{type_of(entry['key'])},{type_of(entry['value'])}>"
    named = field.message_type or field.enum_type
    return named.full_name if named is not None else SCALARS[field.type]


def field_text(field: FieldDescriptor) -> str:
    """One field as the facts write it."""
    is_map = field.message_type is not None and field.message_type.GetOptions().map_entry
    label = "repeated " if field.is_repeated and not is_map else ""
    group = f" in {field.containing_oneof.name}" if field.containing_oneof is not None else ""
    return f"{field.name}={field.number} {label}{type_of(field)}{group}"


def message_lines(message: Descriptor) -> Iterator[str]:
    """A message and what is declared inside it."""
    if message.GetOptions().map_entry:
        return
    yield f"message {message.full_name}: {'; '.join(map(field_text, message.fields))}".rstrip()
    for inner in message.nested_types:
        yield from message_lines(inner)
    yield from map(enum_line, message.enum_types)


def enum_line(enum: EnumDescriptor) -> str:
    """One enum."""
    return f"enum {enum.full_name}: {' '.join(f'{value.name}={value.number}' for value in enum.values)}"


def file_lines(file: FileDescriptor) -> Iterator[str]:
    """Everything one .proto file declares."""
    for message in file.message_types_by_name.values():
        yield from message_lines(message)
    yield from map(enum_line, file.enum_types_by_name.values())
    for service in file.services_by_name.values():
        for call in service.methods:
            ask = ("stream " if call.client_streaming else "") + call.input_type.full_name
            answer = ("stream " if call.server_streaming else "") + call.output_type.full_name
            yield f"rpc {call.full_name}: {ask} -> {answer}"


def generated(tree: str) -> set[str]:
    """What the generated code of one tree declares."""
    modules: tuple[str, ...] = import_module(f"kubewire.{tree}.index").MODULES
    return {line for module in modules for line in file_lines(import_module(module).DESCRIPTOR)}


def facts(name: str) -> set[str]:
    """What the project was made from."""
    return set((FACTS / f"{name}.txt").read_text().splitlines())


@pytest.mark.parametrize("name", TREES)
def test_every_message_enum_and_call_is_the_peers(name: str) -> None:
    """Names, numbers, labels, types, groups and the order of fields agree with the facts, in both directions."""
    have, want = generated(TREES[name]), facts(name)
    assert sorted(want - have) == []
    assert sorted(have - want) == []


@pytest.mark.parametrize("name", TREES)
def test_the_facts_are_not_empty(name: str) -> None:
    """The comparison compares something."""
    assert len(facts(name)) > 40


def test_only_kubernetes_messages_have_presence() -> None:
    """Kubernetes' messages are proto2, where absent and empty differ as Go's nil and zero do."""

    def has_presence(field: FieldDescriptor) -> bool:
        return field.is_repeated or field.has_presence

    check: Callable[[Descriptor], bool] = lambda message: all(map(has_presence, message.fields))  # noqa: E731
    modules: tuple[str, ...] = import_module("kubewire.api.index").MODULES
    files = [import_module(module).DESCRIPTOR for module in modules]
    assert [
        message.full_name for file in files for message in file.message_types_by_name.values() if not check(message)
    ] == []
