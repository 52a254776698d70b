"""Finding the .proto file that declares something, and loading it only when somebody asks.

A server routes bytes and needs no generated module; only whoever describes its services does. Modules are loaded into
protobuf's default pool on demand, through the generated indexes from full names to modules.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from importlib import import_module
from typing import Final

from google.protobuf import descriptor_pool
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FileDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from kubewire.component.v1 import reflection_pb2

Index = Mapping[str, str]
"""From full names of messages and services to the modules that hold them."""

_OURS: Final = re.compile(r"kubewire(/[a-z0-9_]+)+\.proto")
REFLECTION_PACKAGES: Final = ("grpc.reflection.v1", "grpc.reflection.v1alpha")


class Descriptors:
    """Files by what they declare. Every method raises KeyError for what is not there."""

    def __init__(self, index: Callable[[], Index]) -> None:
        self._load_index = index
        self._pool = descriptor_pool.Default()

    @cached_property
    def _index(self) -> Index:
        return self._load_index()

    @cached_property
    def _own(self) -> descriptor_pool.DescriptorPool:
        """Reflection's own files, under the names by which it is served."""
        pool = descriptor_pool.DescriptorPool()
        for package in REFLECTION_PACKAGES:
            pool.Add(_renamed(package))
        return pool

    def file(self, name: str) -> FileDescriptor:
        """The file of a name, such as `kubewire/api/core/v1/pod.proto`."""
        if _OURS.fullmatch(name):
            _import(name.removesuffix(".proto").replace("/", ".") + "_pb2")
        return self._in_pools(lambda pool: pool.FindFileByName(name))

    def file_of(self, symbol: str) -> FileDescriptor:
        """The file that declares a service, message, enum or extension, or a method, field or value of one."""
        self._load(symbol)
        try:
            return self._in_pools(lambda pool: pool.FindFileContainingSymbol(symbol))
        except KeyError:
            return self._file_of_member(symbol)

    def _file_of_member(self, symbol: str) -> FileDescriptor:
        """The pool does not know methods, which tools ask for to describe one, nor all fields and values."""
        parent, _, member = symbol.rpartition(".")
        try:
            file = self._in_pools(lambda pool: pool.FindFileContainingSymbol(parent))
        except KeyError:
            # Values of an enum stand beside it, in its package.
            for file in self._files_of(parent):
                if file.package == parent and _has_value(file, member):
                    return file
            raise
        if member not in _members(file, parent):
            raise KeyError(symbol)
        return file

    def _files_of(self, package: str) -> Iterator[FileDescriptor]:
        """All files of a package that the index knows, and what they import."""
        known: set[str] = set()
        for module in self._modules_of(package):
            yield from with_dependencies(import_module(module).DESCRIPTOR, known)

    def _modules_of(self, package: str) -> set[str]:
        return {module for name, module in self._index.items() if name.rpartition(".")[0] == package}

    def extension_numbers(self, message: str) -> list[int]:
        """Numbers of all loaded extensions of a message."""
        self._load(message)
        descriptor = self._pool.FindMessageTypeByName(message)
        return sorted(extension.number for extension in self._pool.FindAllExtensions(descriptor))

    def file_of_extension(self, message: str, number: int) -> FileDescriptor:
        """The file that declares the extension `number` of a message."""
        self._load(message)
        descriptor = self._pool.FindMessageTypeByName(message)
        file: FileDescriptor = self._pool.FindExtensionByNumber(descriptor, number).file  # type: ignore[attr-defined]  # the stubs leave it out
        return file

    def _load(self, symbol: str) -> None:
        """Import the module of the longest part of `symbol` that the index knows, or else all of its package."""
        name = symbol
        while name:
            module = self._index.get(name)
            if module is not None:
                import_module(module)
                return
            name = name.rpartition(".")[0]
        for module in self._modules_of(symbol.rpartition(".")[0]):
            import_module(module)

    def _in_pools(self, find: Callable[[descriptor_pool.DescriptorPool], FileDescriptor]) -> FileDescriptor:
        try:
            return find(self._pool)
        except KeyError:
            return find(self._own)


def with_dependencies(file: FileDescriptor, known: set[str]) -> Iterator[FileDescriptor]:
    """The file and all it needs, without those whose names are in `known`, which is added to."""
    pending = [file]
    while pending:
        next_file = pending.pop(0)
        if next_file.name not in known:
            known.add(next_file.name)
            yield next_file
            pending += next_file.dependencies


def merged(*parts: Iterable[Index]) -> Index:
    """One index of several."""
    return {name: module for indexes in parts for index in indexes for name, module in index.items()}


def _import(module: str) -> None:
    try:
        import_module(module)
    except ModuleNotFoundError as error:
        raise KeyError(module) from error


def _members(file: FileDescriptor, parent: str) -> Iterable[str]:
    """Names declared directly within the service, message or enum called `parent`."""
    found = _declared(file, parent)
    if isinstance(found, ServiceDescriptor):
        return found.methods_by_name
    if isinstance(found, EnumDescriptor):
        return found.values_by_name
    if isinstance(found, Descriptor):
        return {*found.fields_by_name, *found.oneofs_by_name, *found.enum_values_by_name}
    return ()


def _has_value(file: FileDescriptor, name: str) -> bool:
    return any(name in enum.values_by_name for enum in file.enum_types_by_name.values())


def _declared(file: FileDescriptor, name: str) -> Descriptor | EnumDescriptor | ServiceDescriptor | None:
    inside = name.removeprefix(f"{file.package}.").split(".")
    first = inside[0]
    if first in file.services_by_name:
        return file.services_by_name[first]
    if first in file.enum_types_by_name:
        return file.enum_types_by_name[first]
    found: Descriptor | EnumDescriptor | None = file.message_types_by_name.get(first)
    for part in inside[1:]:
        if not isinstance(found, Descriptor):
            return None
        found = found.nested_types_by_name.get(part) or found.enum_types_by_name.get(part)
    return found


def _renamed(package: str) -> FileDescriptorProto:
    """The file of reflection's messages as it is called in `package`."""
    file = FileDescriptorProto()
    reflection_pb2.DESCRIPTOR.CopyToProto(file)
    ours = f".{file.package}."
    file.name, file.package = f"{package.replace('.', '/')}/reflection.proto", package
    for field in (field for message in file.message_type for field in message.field if field.type_name):
        field.type_name = field.type_name.replace(ours, f".{package}.")
    for method in (method for service in file.service for method in service.method):
        method.input_type = method.input_type.replace(ours, f".{package}.")
        method.output_type = method.output_type.replace(ours, f".{package}.")
    return file
