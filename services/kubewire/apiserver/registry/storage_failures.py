"""What a failure of the store means to the caller of the API."""

from __future__ import annotations

from typing import Final

from kubewire.apiserver.storage.errors import (
    Mismatch,
    OutcomeUnknown,
    StorageError,
    StoreTimeout,
    StoreUnavailable,
    WriteRefused,
)
from kubewire.machinery import errors
from kubewire.machinery.errors import StatusError
from kubewire.machinery.gvk import GroupResource

_RETRY_AFTER_SECONDS: Final = 2
_LARGE_BYTES: Final = 1 << 20
"""etcd takes requests of 1.5 MiB unless told otherwise; what it refuses above this size, it refuses for its size."""


def status_of(
    error: StorageError, resource: GroupResource, name: str, operation: str, *, size_bytes: int = 0
) -> StatusError:
    """The API's error for a failed `operation` (create, update, delete, get, list) of `size_bytes`."""
    match error:
        case StoreUnavailable() | StoreTimeout():
            return errors.server_timeout(resource, operation, _RETRY_AFTER_SECONDS)
        case OutcomeUnknown():
            return errors.timeout(f'it is not known whether the {operation} of {resource} "{name}" took place: {error}')
        case WriteRefused() if size_bytes > _LARGE_BYTES:
            return errors.request_entity_too_large(f"{size_bytes} bytes are more than the store takes: {error}")
        case Mismatch():
            return errors.conflict(resource, name)
        case _:
            return errors.internal(str(error))
