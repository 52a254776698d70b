"""Errors as gRPC sends them, and what is cut when they are too large for trailers."""

import base64
import urllib.parse

import pytest
from google.rpc import status_pb2  # type: ignore[import-untyped]  # ships no types

from kubewire.api.meta.v1.status_pb2 import Status
from kubewire.component.grpc.status import Sent, translate
from kubewire.machinery import errors
from kubewire.machinery.errors import Cause, Details, Reason, StatusError
from kubewire.machinery.gvk import GroupResource

TRAILERS_BYTES = 8192


def unpacked(sent: Sent) -> Status:
    """The Status in the details, after checking what stands around it."""
    details = status_pb2.Status.FromString(sent.details)
    assert (details.code, details.message) == (sent.code, sent.message)
    [packed] = details.details
    status = Status()
    assert packed.Unpack(status)
    return status


def wire_bytes(sent: Sent) -> int:
    """What the two trailers take at most: text percent-encoded, details in base64, 32 bytes for each entry."""
    return len(urllib.parse.quote(sent.message, safe=" ")) + len(base64.b64encode(sent.details)) + 200


def test_an_error_carries_its_status() -> None:
    """Code, message and the whole Status arrive."""
    error = errors.not_found(GroupResource("", "pods"), "a")
    sent = translate(error)
    assert (sent.code, sent.message) == (5, 'pods "a" not found')
    assert StatusError.from_proto(unpacked(sent)).to_json() == error.to_json()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.bad_request("x"), 3),
        (errors.unauthorized(), 16),
        (errors.forbidden(GroupResource("", "pods"), "a", "why"), 7),
        (errors.already_exists(GroupResource("", "pods"), "a"), 6),
        (errors.conflict(GroupResource("", "pods"), "a"), 10),
        (errors.expired("too old"), 11),
        (errors.too_many_requests("slow down"), 8),
        (errors.service_unavailable("slow watcher"), 14),
        (errors.timeout("late"), 4),
        (errors.internal("why"), 13),
        (errors.method_not_supported(GroupResource("", "pods"), "create"), 12),
        (StatusError(418, "Teapot", "short and stout"), 2),
    ],
)
def test_reasons_have_canonical_codes(error: StatusError, code: int) -> None:
    """Each reason is sent with the code that tells clients whether a retry helps."""
    assert translate(error).code == code


@pytest.mark.parametrize("character", ["x", "é", "漢", "%", "\n"])
def test_everything_fits_into_trailers(character: str) -> None:
    """However long the message, the causes and the names are, trailers stay under their limit and are readable."""
    causes = tuple(Cause("FieldValueInvalid", character * 300, f"spec.x[{number}]") for number in range(100))
    details = Details(name=character * 2000, group="g", kind="k", causes=causes)
    sent = translate(StatusError(422, Reason.INVALID, character * 20_000, details))
    assert wire_bytes(sent) < TRAILERS_BYTES
    status = unpacked(sent)
    assert status.reason == "Invalid"
    assert status.message.startswith(character * 100)


def test_causes_are_cut_from_the_end() -> None:
    """As many of the first causes stay as fit."""
    causes = tuple(Cause("FieldValueInvalid", "m" * 150, f"spec.x[{number}]") for number in range(60))
    sent = translate(StatusError(422, Reason.INVALID, "short", Details(causes=causes)))
    kept = unpacked(sent).details.causes
    assert 10 < len(kept) < 60
    assert [cause.field for cause in kept] == [f"spec.x[{number}]" for number in range(len(kept))]
