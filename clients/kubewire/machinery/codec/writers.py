"""The functions that turn messages' bytes into JSON text: compiled when a message type is first met, then kept.

A Pod can hold 137 message types and most hold 25, so a function is compiled when a value of its type first comes by.
"""

from __future__ import annotations

import struct
from binascii import b2a_base64
from collections.abc import Callable
from functools import cache, lru_cache, partial
from typing import Final, cast

from kubewire.machinery.codec.fields import Form, JsonField, Shape, fields_of
from kubewire.machinery.codec.json_text import escape, is_plain
from kubewire.machinery.codec.value_text import TextOf, double_text, quoted, text_function
from kubewire.machinery.codec.wire import IrregularWire, read_entry, read_int, read_length, scan
from kubewire.machinery.codec.writer_source import source_of

Escape = Callable[[str], str | None]
"""Told a string, gives what stands between the quotes; None for the string itself."""

Write = Callable[[bytes, str, int, int, Escape], str]
"""From `data`, the same as latin-1 text, begin and end, to an object's members, each behind a comma."""

_CORE: Final = "k8s.io.api.core.v1."
_META: Final = "k8s.io.apimachinery.pkg.apis.meta.v1."
_REMEMBERED: Final = frozenset(
    f"{_CORE}{name}"
    for name in (
        "Affinity",
        "ContainerPort",
        "EnvVar",
        "Lifecycle",
        "PodCondition",
        "PodSecurityContext",
        "Probe",
        "ResourceRequirements",
        "SecurityContext",
        "Toleration",
        "TopologySpreadConstraint",
        "VolumeSource",
    )
) | {f"{_META}LabelSelector", f"{_META}ManagedFieldsEntry", f"{_META}OwnerReference"}
"""Parts that all pods of one template share, byte for byte, or all that were written in the same second: their text is
remembered, the latest 256 of each type. Containers are not among them: each mounts a volume with a name of its own."""

_OBJECT_META: Final = f"{_META}ObjectMeta"


Scanned = dict[int, list[int | bytes]]


def write_object(write: Write, data: bytes, text: str) -> str:
    """The members of one whole object, every string escaped that needs it."""
    strings: list[str] = []
    members = write(data, text, 0, len(data), strings.append)
    return members if is_plain(strings) else write(data, text, 0, len(data), escape)


@cache
def compiled_writer(message: str) -> Write:
    """The function that writes the members of messages of this type."""
    fields = fields_of(message)
    defaults = {field.number: default_text(field) for field in fields}
    source = source_of(fields, defaults, _REMEMBERED, _tail(message))
    names: dict[str, object] = dict(_NAMES)
    for field in fields:
        if field.form is Form.OBJECT:
            names[f"w{field.number}"] = _first_write(names, field)
        names[f"g{field.number}"] = (
            _remembered_members(field.message) if field.form is Form.OBJECT else value_text(field)
        )
    exec(compile(source, f"<writer of {message}>", "exec"), names)  # noqa: S102 - our own text, from descriptors alone
    return cast("Write", names["write"])


def _first_write(names: dict[str, object], field: JsonField) -> Write:
    """Stands in until the first call: most fields of most types are never met."""

    def compile_and_write(data: bytes, text: str, begin: int, end: int, escape_: Escape) -> str:
        names[f"w{field.number}"] = write = compiled_writer(field.message)
        return write(data, text, begin, end, escape_)

    return compile_and_write


def _tail(message: str) -> str:
    """The field that stored bytes may have once more at their end."""
    if message == _OBJECT_META:
        return "resourceVersion"
    return next((field.name for field in fields_of(message) if field.message == _OBJECT_META and field.number == 1), "")


def value_text(field: JsonField) -> TextOf | None:
    """What writes one value of a message field that is no object; None for scalars."""
    return _schema_text(field.message) if field.form in _SCHEMAS else text_function(field.form, field.message)


def object_text(message: str, data: bytes) -> str:
    """A message's whole JSON object."""
    return f"{{{write_object(compiled_writer(message), data, data.decode('latin-1'))[1:]}}}"


@cache
def _remembered_members(message: str) -> TextOf | None:
    """What gives the members of a message's bytes and remembers them; None for types that are not worth it."""
    if message not in _REMEMBERED:
        return None

    @lru_cache(256)
    def members_of(part: str) -> str:
        return write_object(compiled_writer(message), part.encode("latin-1"), part)

    return members_of


# ------------------------------------------------------------------------------------------ schemas of resources

_SCHEMAS: Final = (Form.SCHEMA_OR_BOOL, Form.SCHEMA_OR_ARRAY, Form.SCHEMA_OR_STRINGS)


def _schema_text(message: str) -> TextOf:
    """A schema, or what may stand in its place."""
    package, _, name = message.rpartition(".")
    schema = f"{package}.JSONSchemaProps"

    def text_of(part: str) -> str:
        found = scan(part.encode("latin-1"))
        if name == "JSONSchemaPropsOrBool":
            return (
                object_text(schema, _last(found, 2)) if 2 in found else ("true" if any(found.get(1, ())) else "false")
            )
        if 2 in found:
            write = _quoted_bytes if name.endswith("StringArray") else partial(object_text, schema)
            return f"[{','.join(write(item) for item in found[2] if isinstance(item, bytes))}]"
        return object_text(schema, _last(found, 1)) if 1 in found else "null"

    return text_of


def _quoted_bytes(data: bytes) -> str:
    return quoted(data.decode("latin-1"))


def _last(found: Scanned, number: int) -> bytes:
    """The last value, joined to those before it as protobuf joins parts of one message."""
    return b"".join(part for part in found[number] if isinstance(part, bytes))


# ------------------------------------------------------------------------------------------ absent fields


def default_text(field: JsonField) -> str:
    """What stands in the object when the field is absent, with a comma in front; empty for nothing."""
    if field.is_inline:
        return empty_members(field.message)
    value = _default_value(field)
    return f',"{field.json_name}":{value}' if value else ""


@cache
def empty_members(message: str) -> str:
    """The members of a message without any field."""
    return "".join(default_text(field) for field in fields_of(message))


def _default_value(field: JsonField) -> str:
    if field.shape is not Shape.ONE:
        # A server's lists have no null where a client expects to loop.
        return "" if not field.is_kept else "[]" if field.name == "items" else "null"
    if field.is_pointer or field.form is Form.STRINGS:
        return "null" if field.is_kept else ""
    if field.is_omitted_zero:
        return ""
    if field.form is Form.OBJECT:
        return f"{{{empty_members(field.message)[1:]}}}"
    if field.message:
        text_of = value_text(field)
        assert text_of is not None, field
        return text_of("")
    return _ZEROS[field.form] if field.is_kept else ""


_ZEROS: Final = {Form.STRING: '""', Form.INT: "0", Form.BOOL: "false", Form.BYTES: "null", Form.DOUBLE: "0"}


# ------------------------------------------------------------------------------------------ names the source uses


def base64_text(data: bytes) -> str:
    """Bytes as JSON has them, without quotes."""
    return b2a_base64(data, newline=False).decode("ascii")


def double_at(data: bytes, at: int) -> str:
    """The float at `at`."""
    (value,) = struct.unpack_from("<d", data, at)
    return double_text(value)


def write_text(write: Write, text: str, escape_: Escape) -> str:
    """The members of an object whose bytes had to be put together."""
    return write(text.encode("latin-1"), text, 0, len(text), escape_)


def text_map(values: dict[str, str], escape_: Escape) -> str:
    """A map of strings, sorted by key as Go sorts; values are escaped already."""
    return "{" + ",".join([f'"{escape_(key) or key}":"{values[key]}"' for key in sorted(values)]) + "}"


def value_map(values: dict[str, str], escape_: Escape) -> str:
    """A map of anything else, sorted likewise."""
    return "{" + ",".join([f'"{escape_(key) or key}":{values[key]}' for key in sorted(values)]) + "}"


_NAMES: Final[dict[str, object]] = {
    "Irregular": IrregularWire,
    "E": escape,
    "read_length": read_length,
    "read_int": read_int,
    "read_entry": read_entry,
    "base64": base64_text,
    "double": double_at,
    "write_text": write_text,
    "text_map": text_map,
    "value_map": value_map,
    "true": "true",
    "false": "false",
    "brace": "{",
    "end_brace": "}",
    "comma": ",",
    "text_comma": '","',
    "object_comma": "},{",
}
