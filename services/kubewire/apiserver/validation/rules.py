"""What validation knows of a kind: how its objects may be named, and what is checked on each way of writing.

Checks return every problem they find, in the order of the fields. `create` looks at one object; `update` at the
new object beside the stored one and repeats what still has to hold of the new one, as upstream does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from google.protobuf.message import Message

from kubewire.machinery import names
from kubewire.machinery.field_errors import FieldError

M = TypeVar("M", bound=Message)


def nothing_of_one(_obj: Message) -> list[FieldError]:
    """A check without rules."""
    return []


def nothing_of_two(_new: Message, _old: Message) -> list[FieldError]:
    """A comparison without rules."""
    return []


def no_warnings(_obj: Message) -> list[str]:
    """A kind that never warns."""
    return []


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules(Generic[M]):
    """The checks of one kind. Metadata is checked beside them, with `name`, for every kind alike."""

    name: names.Check = names.dns1123_subdomain
    namespaced: bool = True
    builtin: bool = True
    """Whether the kind is Kubernetes' own; others may use finalizers without a domain."""
    create: Callable[[M], list[FieldError]] = nothing_of_one
    update: Callable[[M, M], list[FieldError]] = nothing_of_two
    status_update: Callable[[M, M], list[FieldError]] = nothing_of_two
    warnings: Callable[[M], list[str]] = no_warnings
