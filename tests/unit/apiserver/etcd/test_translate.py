"""What failed calls mean."""

import pytest
from grpc import StatusCode

from kubewire.apiserver.etcd import errors
from kubewire.apiserver.etcd.http2.calls import failure, not_sent
from kubewire.apiserver.etcd.translate import meaning_of


@pytest.mark.parametrize(
    ("code", "text", "meaning"),
    [
        (StatusCode.OUT_OF_RANGE, "etcdserver: mvcc: required revision has been compacted", errors.RevisionCompacted),
        (StatusCode.OUT_OF_RANGE, "etcdserver: mvcc: required revision is a future revision", errors.RevisionInFuture),
        (StatusCode.RESOURCE_EXHAUSTED, "etcdserver: mvcc: database space exceeded", errors.NoSpace),
        (StatusCode.INVALID_ARGUMENT, "etcdserver: request is too large", errors.RequestTooLarge),
        (StatusCode.RESOURCE_EXHAUSTED, "grpc: received message larger than max (3 vs. 2)", errors.RequestTooLarge),
        (StatusCode.NOT_FOUND, "etcdserver: requested lease not found", errors.LeaseNotFound),
        (StatusCode.PERMISSION_DENIED, "etcdserver: permission denied", errors.Refused),
        (StatusCode.UNAVAILABLE, "etcdserver: no leader", errors.Unavailable),
        (StatusCode.RESOURCE_EXHAUSTED, "etcdserver: too many requests", errors.Unavailable),
    ],
)
@pytest.mark.parametrize("is_write", [True, False])
def test_certain_failures(code: StatusCode, text: str, meaning: type[errors.EtcdError], is_write: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """What is known not to have been done says so, for writes too."""
    assert type(meaning_of(failure(code, text), is_write=is_write)) is meaning


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (StatusCode.UNAVAILABLE, "Socket closed"),
        (StatusCode.UNAVAILABLE, "failed to connect to all addresses"),
        (StatusCode.UNAVAILABLE, "etcdserver: request timed out"),
        (StatusCode.UNAVAILABLE, "etcdserver: request timed out, possibly due to connection lost"),
        (StatusCode.UNAVAILABLE, "etcdserver: server stopped"),
        (StatusCode.UNAVAILABLE, "etcdserver: leader changed"),
        (StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded"),
        (StatusCode.UNKNOWN, "raft proposal dropped"),
        (StatusCode.CANCELLED, "CANCELLED"),
        (StatusCode.INTERNAL, "Received RST_STREAM with error code 2"),
    ],
)
def test_lost_answers(code: StatusCode, text: str) -> None:
    """A write whose answer was lost may have been done; a read may simply be asked again."""
    assert type(meaning_of(failure(code, text), is_write=True)) is errors.OutcomeUnknown
    assert isinstance(meaning_of(failure(code, text), is_write=False), errors.Unavailable)


@pytest.mark.parametrize("code", [StatusCode.UNAVAILABLE, StatusCode.DEADLINE_EXCEEDED, StatusCode.CANCELLED])
@pytest.mark.parametrize("is_write", [True, False])
def test_not_sent(code: StatusCode, is_write: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """A call that was not sent was not done, whatever it is and however it ended."""
    assert type(meaning_of(not_sent("refused", code), is_write=is_write)) is errors.Unavailable
