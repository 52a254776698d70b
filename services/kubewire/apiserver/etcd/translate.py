"""From a failed gRPC call to what it means: done, not done, or unknown.

Only failures known to happen before a proposal count as "not done"; whatever is not listed here leaves the outcome
of a write unknown.
"""

from __future__ import annotations

from grpc import StatusCode

from kubewire.apiserver.etcd.errors import (
    EtcdError,
    LeaseNotFound,
    NoAnswer,
    NoSpace,
    OutcomeUnknown,
    Refused,
    RequestTooLarge,
    RevisionCompacted,
    RevisionInFuture,
    Unavailable,
)

_MEANINGS: tuple[tuple[str, type[EtcdError]], ...] = (
    ("required revision has been compacted", RevisionCompacted),
    ("required revision is a future revision", RevisionInFuture),
    ("database space exceeded", NoSpace),
    ("request is too large", RequestTooLarge),
    ("received message larger than max", RequestTooLarge),
    ("requested lease not found", LeaseNotFound),
)

_NOT_SENT = ("failed to connect to all addresses", "connections to all backends failing", "DNS resolution failed")
"""The library's own words for a call that found no connection to be sent on."""

_NOT_PROPOSED = ("etcdserver: no leader", "etcdserver: too many requests", "etcdserver: not capable")
"""etcd's words for a request turned away before it became a proposal."""

_REFUSALS = frozenset(
    {
        StatusCode.INVALID_ARGUMENT,
        StatusCode.NOT_FOUND,
        StatusCode.ALREADY_EXISTS,
        StatusCode.PERMISSION_DENIED,
        StatusCode.UNAUTHENTICATED,
        StatusCode.FAILED_PRECONDITION,
        StatusCode.OUT_OF_RANGE,
        StatusCode.UNIMPLEMENTED,
    }
)

_PASSING = frozenset(
    {
        StatusCode.UNAVAILABLE,
        StatusCode.UNKNOWN,
        StatusCode.INTERNAL,
        StatusCode.CANCELLED,
        StatusCode.ABORTED,
    }
)


def meaning_of(code: StatusCode, text: str, *, is_write: bool) -> EtcdError:
    """The error to raise for a call that ended with `code` and `text`.

    Guarantees: for a write, anything but OutcomeUnknown means that it was not and will not be done.
    """
    for words, error in _MEANINGS:
        if words in text:
            return error(text)
    if code in _REFUSALS:
        return Refused(text)
    if any(words in text for words in (*_NOT_SENT, *_NOT_PROPOSED)):
        return Unavailable(text)
    if is_write:
        return OutcomeUnknown(f"etcd did not confirm the write ({code.name}): {text}")
    return _failed_read(code, text)


def _failed_read(code: StatusCode, text: str) -> EtcdError:
    if code is StatusCode.DEADLINE_EXCEEDED:
        return NoAnswer(text)
    return Unavailable(text) if code in _PASSING else Refused(f"{code.name}: {text}")
