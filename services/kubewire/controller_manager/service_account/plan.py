"""The service account of a namespace. Pure."""

from __future__ import annotations

from typing import Final

from kubewire.api.core.v1.namespace_pb2 import Namespace
from kubewire.api.core.v1.service_account_pb2 import ServiceAccount

DEFAULT: Final = "default"


def wanted(namespace: Namespace, existing: ServiceAccount | None) -> ServiceAccount | None:
    """One to create; what is there belongs to whoever uses the namespace, and is never changed."""
    if existing is not None:
        return None
    made = ServiceAccount()
    made.metadata.name, made.metadata.namespace = DEFAULT, namespace.metadata.name
    return made
