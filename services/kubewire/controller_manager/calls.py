"""What the outcome of a call says about what was done."""

from __future__ import annotations

from typing import Final

from kubewire.machinery.errors import Reason, StatusError

_OPEN: Final = frozenset(
    (Reason.UNKNOWN, Reason.TIMEOUT, Reason.SERVER_TIMEOUT, Reason.SERVICE_UNAVAILABLE, Reason.INTERNAL_ERROR)
)


def leaves_open(error: StatusError) -> bool:
    """Whether a write that failed so may have been done all the same."""
    return error.reason in _OPEN


def is_missing(error: StatusError) -> bool:
    """Whether there is no such object."""
    return error.reason == Reason.NOT_FOUND


def is_there(error: StatusError) -> bool:
    """Whether the object to create exists."""
    return error.reason == Reason.ALREADY_EXISTS
