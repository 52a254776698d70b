"""API errors have Kubernetes' codes, reasons and words, and survive every way they travel."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubewire.machinery import errors, field_errors
from kubewire.machinery.errors import CAUSES_LIMIT_BYTES, Cause, Details, Reason, StatusError
from kubewire.machinery.field_path import ROOT
from kubewire.machinery.gvk import GroupKind, GroupResource

PODS = GroupResource("", "pods")
DEPLOYMENTS = GroupResource("apps", "deployments")
NAME = field_errors.required(ROOT.child("spec", "containers").index(0).child("name"))

MADE = {
    'pods "x" not found': (errors.not_found(PODS, "x"), 404, "NotFound"),
    'deployments.apps "x" not found': (errors.not_found(DEPLOYMENTS, "x"), 404, "NotFound"),
    'pods "x" already exists': (errors.already_exists(PODS, "x"), 409, "AlreadyExists"),
    'pods "x" already exists, the server was not able to generate a unique name for the object': (
        errors.generate_name_conflict(PODS, "x"),
        409,
        "AlreadyExists",
    ),
    'Operation cannot be fulfilled on pods "x": the object has been modified; '
    "please apply your changes to the latest version and try again": (errors.conflict(PODS, "x"), 409, "Conflict"),
    'Pod "x" is invalid: spec.containers[0].name: Required value': (
        errors.invalid(GroupKind("", "Pod"), "x", [NAME, NAME]),
        422,
        "Invalid",
    ),
    'Deployment.apps "x" is invalid: [spec.containers[0].name: Required value, spec: Forbidden: no]': (
        errors.invalid(GroupKind("apps", "Deployment"), "x", [NAME, field_errors.forbidden(ROOT.child("spec"), "no")]),
        422,
        "Invalid",
    ),
    'Pod "x" is invalid': (errors.invalid(GroupKind("", "Pod"), "x", []), 422, "Invalid"),
    "nonsense": (errors.bad_request("nonsense"), 400, "BadRequest"),
    "not authorized": (errors.unauthorized(), 401, "Unauthorized"),
    'pods "x" is forbidden: why': (errors.forbidden(PODS, "x", "why"), 403, "Forbidden"),
    "pods is forbidden: why": (errors.forbidden(PODS, "", "why"), 403, "Forbidden"),
    "forbidden: why": (errors.forbidden(GroupResource("", ""), "x", "why"), 403, "Forbidden"),
    "too old": (errors.expired("too old"), 410, "Expired"),
    "away": (errors.gone("away"), 410, "Gone"),
    "slow down": (errors.too_many_requests("slow down", 3), 429, "TooManyRequests"),
    "Timeout: late": (errors.timeout("late"), 504, "Timeout"),
    "The list operation against pods could not be completed at this time, please try again.": (
        errors.server_timeout(PODS, "list"),
        500,
        "ServerTimeout",
    ),
    "starting": (errors.service_unavailable("starting"), 503, "ServiceUnavailable"),
    "Internal error occurred: oops": (errors.internal("oops"), 500, "InternalError"),
    'create is not supported on resources of kind "pods"': (
        errors.method_not_supported(PODS, "create"),
        405,
        "MethodNotAllowed",
    ),
    "Request entity too large: limit is 3": (
        errors.request_entity_too_large("limit is 3"),
        413,
        "RequestEntityTooLarge",
    ),
    "the body of the request was in an unknown format - accepted media types include: a/b, c/d": (
        errors.unsupported_media_type(["a/b", "c/d"]),
        415,
        "UnsupportedMediaType",
    ),
    "only the following media types are accepted: a/b": (errors.not_acceptable(["a/b"]), 406, "NotAcceptable"),
    "the server rejected our request due to an error in our request": (errors.request_rejected("x"), 422, "Invalid"),
}


@pytest.mark.parametrize("message", MADE)
def test_messages_codes_and_reasons(message: str) -> None:
    """Every error says what a Kubernetes server says."""
    error, code, reason = MADE[message]
    assert (str(error), error.message, error.code, error.reason) == (message, message, code, reason)


@pytest.mark.parametrize("message", MADE)
def test_errors_survive_json_and_messages(message: str) -> None:
    """An error is the same after it was a Status in JSON or in protobuf."""
    error = MADE[message][0]
    for again in (StatusError.from_json(error.to_json()), StatusError.from_proto(error.to_proto())):
        assert (again.code, again.reason, again.message, again.details) == (
            error.code,
            error.reason,
            error.message,
            error.details,
        )


def test_the_printed_status() -> None:
    """The JSON form has Kubernetes' fields in its order."""
    assert list(errors.invalid(GroupKind("apps", "Deployment"), "x", [NAME]).to_json().items()) == [
        ("kind", "Status"),
        ("apiVersion", "v1"),
        ("metadata", {}),
        ("status", "Failure"),
        ("message", 'Deployment.apps "x" is invalid: spec.containers[0].name: Required value'),
        ("reason", "Invalid"),
        (
            "details",
            {
                "name": "x",
                "group": "apps",
                "kind": "Deployment",
                "causes": [
                    {"reason": "FieldValueRequired", "message": "Required value", "field": "spec.containers[0].name"}
                ],
            },
        ),
        ("code", 422),
    ]
    assert "details" not in errors.bad_request("x").to_json()


GRPC = {
    "NotFound": 5,
    "AlreadyExists": 6,
    "Conflict": 10,
    "Invalid": 3,
    "BadRequest": 3,
    "Expired": 11,
    "Gone": 11,
    "Unauthorized": 16,
    "Forbidden": 7,
    "TooManyRequests": 8,
    "RequestEntityTooLarge": 8,
    "Timeout": 4,
    "ServerTimeout": 14,
    "ServiceUnavailable": 14,
    "MethodNotAllowed": 12,
    "InternalError": 13,
    "SomethingElse": 2,
    "": 2,
}


@pytest.mark.parametrize(("reason", "code"), GRPC.items())
def test_grpc_codes(reason: str, code: int) -> None:
    """Every reason is sent with one canonical code, others with UNKNOWN."""
    assert StatusError(500, reason, "x").grpc_code == code


def test_every_reason_has_a_grpc_code() -> None:
    """No known reason falls through to UNKNOWN."""
    known = [reason for reason in Reason if reason is not Reason.UNKNOWN]
    assert [reason for reason in known if StatusError(500, reason, "x").grpc_code == 2] == []


@pytest.mark.parametrize("code", range(1, 17))
def test_failures_without_status(code: int) -> None:
    """A gRPC failure that carried no Status becomes an error that is sent with the same code again."""
    error = StatusError.from_grpc_code(code, "gone wrong")
    assert error.message == "gone wrong"
    assert error.grpc_code == code or error.reason == Reason.UNKNOWN


def test_foreign_status_bodies() -> None:
    """Parts of the wrong type count as absent, so that no answer can break the client."""
    error = StatusError.from_json(
        {"code": "x", "reason": 1, "message": None, "details": {"causes": [1, {}], "name": 3}}
    )
    assert (error.code, error.reason, error.message) == (0, "", "")
    assert error.details == Details(causes=(Cause(),))
    assert error.retry_after_seconds == 0
    assert errors.too_many_requests("x", 7).retry_after_seconds == 7


@given(st.lists(st.builds(Cause, st.text(max_size=50), st.text(max_size=3000), st.text(max_size=3000)), min_size=1))
def test_causes_are_bounded(causes: list[Cause]) -> None:
    """However much was wrong, the causes fit into trailers, and the first is always told."""
    kept = errors.capped_causes(causes)
    size = sum(len(part.encode("utf-8", "replace")) for cause in kept for part in cause)
    assert size <= CAUSES_LIMIT_BYTES
    assert kept[0] == causes[0] or kept[0].message.endswith("...")
