"""From a failed gRPC call to what it means: done, not done, or unknown.

Only failures known to happen before a proposal count as "not done": a call that was not sent, which the transport
tells by the error's type and never by words, and the refusals of etcd that are listed here. Whatever else leaves the
outcome of a write unknown.
"""

from __future__ import annotations

from grpc import StatusCode
from grpc.aio import AioRpcError

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
from kubewire.apiserver.etcd.http2.calls import NotSent

_MEANINGS: tuple[tuple[str, type[EtcdError]], ...] = (
    ("required revision has been compacted", RevisionCompacted),
    ("required revision is a future revision", RevisionInFuture),
    ("database space exceeded", NoSpace),
    ("request is too large", RequestTooLarge),
    ("received message larger than max", RequestTooLarge),
    ("requested lease not found", LeaseNotFound),
)

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


def meaning_of(error: AioRpcError, *, is_write: bool) -> EtcdError:
    """The error to raise for a failed call.

    Guarantees: for a write, anything but OutcomeUnknown means that it was not and will not be done.
    """
    code, text = error.code(), error.details() or ""
    if isinstance(error, NotSent):
        return Unavailable(text)
    for words, meaning in _MEANINGS:
        if words in text:
            return meaning(text)
    if code in _REFUSALS:
        return Refused(text)
    if any(words in text for words in _NOT_PROPOSED):
        return Unavailable(text)
    if is_write:
        return OutcomeUnknown(f"etcd did not confirm the write ({code.name}): {text}")
    return _failed_read(code, text)


def _failed_read(code: StatusCode, text: str) -> EtcdError:
    if code is StatusCode.DEADLINE_EXCEEDED:
        return NoAnswer(text)
    return Unavailable(text) if code in _PASSING else Refused(f"{code.name}: {text}")
