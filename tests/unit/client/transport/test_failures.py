"""Failed calls: the server's own error where it sent one, the nearest one else, and what the call may have done."""

import grpc
import grpc.aio
import pytest

from kubewire.client.transport.failures import DETAILS_KEY, Outcome, outcome_of, status_error
from kubewire.component.grpc.status import translate
from kubewire.machinery.errors import Reason, StatusError, conflict
from kubewire.machinery.gvk import GroupResource

Code = grpc.StatusCode


def failure(code: grpc.StatusCode, text: str = "", details: bytes | None = None) -> grpc.aio.AioRpcError:
    """As the library raises it."""
    trailing = grpc.aio.Metadata(*([(DETAILS_KEY, details)] if details is not None else []))
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), trailing, text)


def test_the_servers_own_error() -> None:
    """Reason and details are what the server said, whatever the code."""
    sent = conflict(GroupResource("apps", "deployments"), "web")
    error = failure(Code.ABORTED, sent.message, translate(sent).details)
    found = status_error(error)
    assert (found.code, found.reason, found.message, found.details) == (409, sent.reason, sent.message, sent.details)
    assert outcome_of(error) is Outcome.ANSWERED


@pytest.mark.parametrize(
    ("code", "text", "reason", "outcome"),
    [
        (Code.UNAVAILABLE, "failed to connect to all addresses; x", Reason.SERVICE_UNAVAILABLE, Outcome.NOT_SENT),
        (Code.UNAVAILABLE, "Socket closed", Reason.SERVICE_UNAVAILABLE, Outcome.LOST),
        (Code.CANCELLED, "RST_STREAM", Reason.SERVICE_UNAVAILABLE, Outcome.LOST),
        (Code.DEADLINE_EXCEEDED, "Deadline Exceeded", Reason.TIMEOUT, Outcome.ANSWERED),
        (Code.UNIMPLEMENTED, "Method not found!", Reason.METHOD_NOT_ALLOWED, Outcome.ANSWERED),
        (
            Code.RESOURCE_EXHAUSTED,
            "SERVER: Received message larger than max (5 vs. 4)",
            Reason.REQUEST_ENTITY_TOO_LARGE,
            Outcome.ANSWERED,
        ),
        (Code.RESOURCE_EXHAUSTED, "slow down", Reason.TOO_MANY_REQUESTS, Outcome.ANSWERED),
        (Code.UNAUTHENTICATED, "who?", Reason.UNAUTHORIZED, Outcome.ANSWERED),
    ],
)
def test_failures_without_a_status(code: grpc.StatusCode, text: str, reason: Reason, outcome: Outcome) -> None:
    """What the library or a proxy says is translated to the nearest reason."""
    assert status_error(failure(code, text)).reason == reason
    assert outcome_of(failure(code, text)) is outcome


def test_a_server_that_says_unavailable_has_answered() -> None:
    """With a status of its own it is not a lost connection."""
    sent = StatusError(503, Reason.SERVICE_UNAVAILABLE, "the watcher was too slow")
    error = failure(Code.UNAVAILABLE, sent.message, translate(sent).details)
    assert outcome_of(error) is Outcome.ANSWERED


def test_details_that_cannot_be_read() -> None:
    """They are passed over."""
    assert status_error(failure(Code.NOT_FOUND, "gone", b"\xff\xff")).reason == Reason.NOT_FOUND
