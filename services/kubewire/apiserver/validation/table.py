"""Which rules hold for which kind: the one list of all kinds that have rules of their own.

A kind that is not listed is checked for its metadata alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from kubewire.apiserver.validation.namespaces import validate_namespace, validate_namespace_status
from kubewire.apiserver.validation.pod_update import validate_pod_update
from kubewire.apiserver.validation.pods import pod_warnings, validate_pod, validate_pod_status
from kubewire.apiserver.validation.rules import Rules
from kubewire.machinery import names

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from kubewire.machinery.resources import Resource

RULES: Mapping[tuple[str, str], object] = {
    ("", "Namespace"): Rules(
        name=names.dns1123_label,
        namespaced=False,
        create=validate_namespace,
        status_update=validate_namespace_status,
    ),
    ("", "Pod"): Rules(
        create=validate_pod,
        update=validate_pod_update,
        status_update=validate_pod_status,
        warnings=pod_warnings,
    ),
}
"""Rules of kinds, by group and kind. Rules of one kind say nothing of another's messages, hence the type."""


def rules_for(resource: Resource) -> Rules[Message]:
    """The rules of a kind; those about metadata alone if it has no others."""
    found = RULES.get((resource.group, resource.kind))
    if found is None:
        return Rules(namespaced=resource.namespaced)
    return cast("Rules[Message]", found)
