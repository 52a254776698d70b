"""Texts that cells of many kinds share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from kubewire.apiserver.encoding.table.ages import Age, since
from kubewire.machinery.selectors import labels
from kubewire.machinery.selectors.requirements import SelectorError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubewire.api.core.v1.container_pb2 import Container
    from kubewire.api.intstr.intstr_pb2 import IntOrString
    from kubewire.api.meta.v1.object_meta_pb2 import ObjectMeta
    from kubewire.machinery.selectors.labels import LabelSelectorMessage

Cell = str | int | bool | Age | tuple[str | Age, ...] | None
"""A value; or a text with ages in it, as its parts; None where there is nothing to say."""

Cells = list[Cell]

NONE: Final = "<none>"
UNSET: Final = "<unset>"
_AT_MOST: Final = 3
"""Items of a list that a cell shows before it says how many more there are."""


def age_of(metadata: ObjectMeta) -> Age | str:
    """Time since the object was created."""
    return since(metadata.creationTimestamp if metadata.HasField("creationTimestamp") else None)


def joined(items: Iterable[str], empty: str = NONE) -> str:
    """Items with commas."""
    return ",".join(items) or empty


def shortened(items: Sequence[str], empty: str) -> str:
    """The first few items, and how many there are beyond them."""
    shown = ",".join(items[:_AT_MOST])
    if len(items) > _AT_MOST:
        return f"{shown} + {len(items) - _AT_MOST} more..."
    return shown or empty


def label_text(values: Mapping[str, str]) -> str:
    """Labels as `a=b,c=d`, sorted."""
    return joined(f"{key}={value}" for key, value in sorted(values.items()))


def selector_text(selector: LabelSelectorMessage | None) -> str:
    """A label selector in the form users write it."""
    try:
        return str(labels.from_message(selector)) or NONE
    except SelectorError:
        return "<error>"


def container_texts(containers: Iterable[Container]) -> tuple[str, str]:
    """Names and images of containers."""
    pairs = [(container.name, container.image) for container in containers]
    return ",".join(name for name, _ in pairs), ",".join(image for _, image in pairs)


def int_or_string(value: IntOrString) -> str:
    """A number, or a text such as `25%`."""
    return value.strVal if value.type else str(value.intVal)


def yes_or_no(value: bool) -> str:  # noqa: FBT001 - it is what is printed
    """A boolean in a text column."""
    return "True" if value else "False"


def host_port(host: str, port: int) -> str:
    """An address with its port; IPv6 in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
