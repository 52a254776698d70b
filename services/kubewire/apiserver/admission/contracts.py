"""What an admission plug-in is, and what it is asked about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Never

from google.protobuf.message import Message

from kubewire.apiserver.contracts import Identity
from kubewire.machinery.resources import Resource

NOBODY = Identity("")
"""Of whom nothing is known."""


class Operation(StrEnum):
    """What is being done to the object, as `admission.k8s.io` names it."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"
    DELETE = "DELETE"


@dataclass(frozen=True, slots=True)
class Request:
    """The write that is to be admitted. `old` is the stored object of an update or a deletion."""

    resource: Resource
    operation: Operation
    namespace: str
    name: str
    old: Message | None = None
    identity: Identity = NOBODY
    subresource: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """One step for objects of one kind: it may change the object, or refuse it by raising StatusError."""

    name: str
    """Kubernetes' own name of the plug-in; it may stand in the table several times, once per kind."""
    group: str
    kind: str
    operations: frozenset[Operation]
    act: Callable[[Never, Request], None]
    """Takes the object and the request. Messages of one kind are no messages of another, hence the type."""
