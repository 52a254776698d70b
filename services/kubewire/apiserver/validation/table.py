"""Which rules hold for which kind: the one list of all kinds that have rules of their own.

A kind that is not listed is checked for its metadata alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from kubewire.apiserver.validation.rules import Rules

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from kubewire.machinery.resources import Resource

RULES: Mapping[tuple[str, str], object] = {}
"""Rules of kinds, by group and kind. Rules of one kind say nothing of another's messages, hence the type."""


def rules_for(resource: Resource) -> Rules[Message]:
    """The rules of a kind; those about metadata alone if it has no others."""
    found = RULES.get((resource.group, resource.kind))
    if found is None:
        return Rules(namespaced=resource.namespaced)
    return cast("Rules[Message]", found)
