"""The one API error: a `meta.v1.Status` of a failed call, with Kubernetes' reasons and messages.

Servers raise it, both faces translate it once (REST: code and Status body; gRPC: canonical code and Status
detail), and clients raise it again from what they received, so a failure has the same reason everywhere.

    Exception
    └── StatusError                     one class; `reason` says what happened
        the request is at fault, a retry does not help
        ├── BadRequest, Invalid, Unauthorized, Forbidden, NotFound, AlreadyExists, MethodNotAllowed,
        │   NotAcceptable, UnsupportedMediaType, RequestEntityTooLarge
        the state moved on: read again, then retry
        ├── Conflict, Expired, Gone
        the server is at fault or busy: the same call may be retried (`retry_after_seconds`)
        └── InternalError, ServerTimeout, Timeout, ServiceUnavailable, TooManyRequests,
            StoreReadError

Make them with the functions of this module: they hold Kubernetes' exact wording, which clients match on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from kubewire.machinery.gvk import GroupKind, GroupResource
from kubewire.machinery.json_value import JsonObject, JsonValue
from kubewire.machinery.quoting import quote

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from kubewire.machinery.field_errors import FieldError

CAUSES_LIMIT_BYTES = 4096
"""Causes kept in a Status: gRPC carries it in trailers, and trailers over 8 KiB fail the call hard."""


class Reason(StrEnum):
    """Kubernetes' StatusReason; a StatusError may also carry a reason that is not listed here."""

    UNKNOWN = ""
    BAD_REQUEST = "BadRequest"
    UNAUTHORIZED = "Unauthorized"
    FORBIDDEN = "Forbidden"
    NOT_FOUND = "NotFound"
    ALREADY_EXISTS = "AlreadyExists"
    CONFLICT = "Conflict"
    GONE = "Gone"
    EXPIRED = "Expired"
    INVALID = "Invalid"
    METHOD_NOT_ALLOWED = "MethodNotAllowed"
    NOT_ACCEPTABLE = "NotAcceptable"
    UNSUPPORTED_MEDIA_TYPE = "UnsupportedMediaType"
    REQUEST_ENTITY_TOO_LARGE = "RequestEntityTooLarge"
    TOO_MANY_REQUESTS = "TooManyRequests"
    INTERNAL_ERROR = "InternalError"
    SERVER_TIMEOUT = "ServerTimeout"
    TIMEOUT = "Timeout"
    SERVICE_UNAVAILABLE = "ServiceUnavailable"
    STORE_READ_ERROR = "StorageReadError"


class GrpcCode(NamedTuple):
    """Numbers of the canonical gRPC codes used here; the library itself is not needed to know them."""

    UNKNOWN: int = 2
    INVALID_ARGUMENT: int = 3
    DEADLINE_EXCEEDED: int = 4
    NOT_FOUND: int = 5
    ALREADY_EXISTS: int = 6
    PERMISSION_DENIED: int = 7
    RESOURCE_EXHAUSTED: int = 8
    ABORTED: int = 10
    OUT_OF_RANGE: int = 11
    UNIMPLEMENTED: int = 12
    INTERNAL: int = 13
    UNAVAILABLE: int = 14
    UNAUTHENTICATED: int = 16


_GRPC = GrpcCode()

_GRPC_CODE_OF_REASON: dict[str, int] = {
    Reason.BAD_REQUEST: _GRPC.INVALID_ARGUMENT,
    Reason.INVALID: _GRPC.INVALID_ARGUMENT,
    Reason.NOT_ACCEPTABLE: _GRPC.INVALID_ARGUMENT,
    Reason.UNSUPPORTED_MEDIA_TYPE: _GRPC.INVALID_ARGUMENT,
    Reason.UNAUTHORIZED: _GRPC.UNAUTHENTICATED,
    Reason.FORBIDDEN: _GRPC.PERMISSION_DENIED,
    Reason.NOT_FOUND: _GRPC.NOT_FOUND,
    Reason.ALREADY_EXISTS: _GRPC.ALREADY_EXISTS,
    Reason.CONFLICT: _GRPC.ABORTED,
    Reason.GONE: _GRPC.OUT_OF_RANGE,
    Reason.EXPIRED: _GRPC.OUT_OF_RANGE,
    Reason.METHOD_NOT_ALLOWED: _GRPC.UNIMPLEMENTED,
    Reason.REQUEST_ENTITY_TOO_LARGE: _GRPC.RESOURCE_EXHAUSTED,
    Reason.TOO_MANY_REQUESTS: _GRPC.RESOURCE_EXHAUSTED,
    Reason.INTERNAL_ERROR: _GRPC.INTERNAL,
    Reason.STORE_READ_ERROR: _GRPC.INTERNAL,
    Reason.TIMEOUT: _GRPC.DEADLINE_EXCEEDED,
    Reason.SERVER_TIMEOUT: _GRPC.UNAVAILABLE,
    Reason.SERVICE_UNAVAILABLE: _GRPC.UNAVAILABLE,
}

_OF_GRPC_CODE: dict[int, tuple[int, Reason]] = {
    _GRPC.INVALID_ARGUMENT: (400, Reason.BAD_REQUEST),
    _GRPC.UNAUTHENTICATED: (401, Reason.UNAUTHORIZED),
    _GRPC.PERMISSION_DENIED: (403, Reason.FORBIDDEN),
    _GRPC.NOT_FOUND: (404, Reason.NOT_FOUND),
    _GRPC.UNIMPLEMENTED: (405, Reason.METHOD_NOT_ALLOWED),
    _GRPC.ALREADY_EXISTS: (409, Reason.ALREADY_EXISTS),
    _GRPC.ABORTED: (409, Reason.CONFLICT),
    _GRPC.OUT_OF_RANGE: (410, Reason.EXPIRED),
    _GRPC.RESOURCE_EXHAUSTED: (429, Reason.TOO_MANY_REQUESTS),
    _GRPC.INTERNAL: (500, Reason.INTERNAL_ERROR),
    _GRPC.UNAVAILABLE: (503, Reason.SERVICE_UNAVAILABLE),
    _GRPC.DEADLINE_EXCEEDED: (504, Reason.TIMEOUT),
}


class Cause(NamedTuple):
    """One cause of a failure: Kubernetes' CauseType, and a path such as `spec.ports[0].port`."""

    type: str = ""
    message: str = ""
    field: str = ""


class Details(NamedTuple):
    """What a failure was about. `kind` holds the resource name for most reasons, as Kubernetes has it."""

    name: str = ""
    group: str = ""
    kind: str = ""
    uid: str = ""
    causes: tuple[Cause, ...] = ()
    retry_after_seconds: int = 0


class StatusError(Exception):
    """A failed API call: HTTP `code`, Kubernetes' `reason`, `message`, and optional `details`.

    `continue_token` is how a list that expired half way may still be finished, though not consistently.
    """

    def __init__(
        self, code: int, reason: str, message: str, details: Details | None = None, continue_token: str = ""
    ) -> None:
        super().__init__(code, reason, message, details, continue_token)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.continue_token = continue_token

    def __str__(self) -> str:
        return self.message

    @property
    def grpc_code(self) -> int:
        """The canonical gRPC code this reason is sent with; UNKNOWN for reasons without one."""
        return _GRPC_CODE_OF_REASON.get(self.reason, _GRPC.UNKNOWN)

    @property
    def retry_after_seconds(self) -> int:
        """How long the server asks to wait before the same call is tried again; 0 when it does not say."""
        return self.details.retry_after_seconds if self.details else 0

    def to_json(self) -> JsonObject:
        """The `v1` Status as Kubernetes prints it, in its field order."""
        status: JsonObject = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {"continue": self.continue_token} if self.continue_token else {},
            "status": "Failure",
            "message": self.message,
            "reason": str(self.reason),
            "details": None if self.details is None else _details_json(self.details),
            "code": self.code,
        }
        return {key: value for key, value in status.items() if value not in (None, "", 0)}

    def to_proto(self) -> Message:
        """A `k8s.io.apimachinery.pkg.apis.meta.v1.Status` message of the same content."""
        from kubewire.machinery import status_proto  # noqa: PLC0415 - needs generated modules

        return status_proto.encode(self)

    @classmethod
    def from_json(cls, status: JsonObject) -> StatusError:
        """From a Status body; fields of the wrong type count as absent."""
        details, metadata = status.get("details"), status.get("metadata")
        return cls(
            _int(status.get("code")),
            _text(status.get("reason")),
            _text(status.get("message")),
            _details_from_json(details) if isinstance(details, dict) else None,
            _text(metadata.get("continue")) if isinstance(metadata, dict) else "",
        )

    @classmethod
    def from_proto(cls, status: Message) -> StatusError:
        """From a `meta.v1.Status` message, as gRPC carries it in its details."""
        from kubewire.machinery import status_proto  # noqa: PLC0415 - needs generated modules

        return status_proto.decode(status)

    @classmethod
    def from_grpc_code(cls, code: int, message: str) -> StatusError:
        """The nearest error for a gRPC failure that carried no Status (a proxy's, or the library's own)."""
        http_code, reason = _OF_GRPC_CODE.get(code, (500, Reason.UNKNOWN))
        return cls(http_code, reason, message)


def _details_json(details: Details) -> JsonObject:
    causes: list[JsonValue] = [_cause_json(cause) for cause in details.causes]
    fields: JsonObject = {
        "name": details.name,
        "group": details.group,
        "kind": details.kind,
        "uid": details.uid,
        "causes": causes,
        "retryAfterSeconds": details.retry_after_seconds,
    }
    return {key: value for key, value in fields.items() if value}


def _cause_json(cause: Cause) -> JsonObject:
    fields: JsonObject = {"reason": str(cause.type), "message": cause.message, "field": cause.field}
    return {key: value for key, value in fields.items() if value}


def _details_from_json(details: JsonObject) -> Details:
    causes = details.get("causes")
    return Details(
        name=_text(details.get("name")),
        group=_text(details.get("group")),
        kind=_text(details.get("kind")),
        uid=_text(details.get("uid")),
        causes=tuple(
            Cause(_text(cause.get("reason")), _text(cause.get("message")), _text(cause.get("field")))
            for cause in (causes if isinstance(causes, list) else ())
            if isinstance(cause, dict)
        ),
        retry_after_seconds=_int(details.get("retryAfterSeconds")),
    )


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""


def _int(value: JsonValue) -> int:
    return value if isinstance(value, int) else 0


def capped_causes(causes: Iterable[Cause]) -> tuple[Cause, ...]:
    """As many leading causes as fit into CAUSES_LIMIT_BYTES; the first always, shortened if it must be."""
    kept: list[Cause] = []
    room = CAUSES_LIMIT_BYTES
    for cause in causes:
        size = sum(len(part.encode("utf-8", "replace")) for part in cause) + 8
        if size > room:
            if not kept:
                kept.append(_shortened(cause))
            break
        kept.append(cause)
        room -= size
    return tuple(kept)


def _shortened(cause: Cause) -> Cause:
    limit = CAUSES_LIMIT_BYTES // 8
    return Cause(cause.type[:64], cause.message[:limit] + "...", cause.field[:limit])


def not_found(resource: GroupResource, name: str) -> StatusError:
    """`pods "x" not found`."""
    return StatusError(404, Reason.NOT_FOUND, f"{resource} {quote(name)} not found", _of(resource, name))


def already_exists(resource: GroupResource, name: str) -> StatusError:
    """`pods "x" already exists`."""
    return StatusError(409, Reason.ALREADY_EXISTS, f"{resource} {quote(name)} already exists", _of(resource, name))


def generate_name_conflict(resource: GroupResource, name: str, retry_after_seconds: int = 1) -> StatusError:
    """Every name made from `generateName` was taken; the same create may be sent again."""
    message = (
        f"{resource} {quote(name)} already exists, the server was not able to generate a unique name for the object"
    )
    details = _of(resource, name)._replace(retry_after_seconds=retry_after_seconds)
    return StatusError(409, Reason.ALREADY_EXISTS, message, details)


OBJECT_MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"


def conflict(resource: GroupResource, name: str, why: str = OBJECT_MODIFIED) -> StatusError:
    """`Operation cannot be fulfilled on pods "x": ...`; read the object again before retrying."""
    message = f"Operation cannot be fulfilled on {resource} {quote(name)}: {why}"
    return StatusError(409, Reason.CONFLICT, message, _of(resource, name))


def apply_conflict(causes: Sequence[Cause], message: str) -> StatusError:
    """Server-side apply would take fields owned by other managers; `causes` name them."""
    return StatusError(409, Reason.CONFLICT, message, Details(causes=capped_causes(causes)))


def invalid(kind: GroupKind, name: str, problems: Sequence[FieldError]) -> StatusError:
    """`Pod "x" is invalid: <problem>`, or `[<problem>, <problem>]` for several (repeats named once)."""
    texts = list(dict.fromkeys(str(problem) for problem in problems))
    joined = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    message = f"{kind} {quote(name)} is invalid" + (f": {joined}" if texts else "")
    causes = capped_causes(problem.to_cause() for problem in problems)
    return StatusError(
        422, Reason.INVALID, message, Details(name=name, group=kind.group, kind=kind.kind, causes=causes)
    )


def bad_request(message: str) -> StatusError:
    """The request itself cannot be understood."""
    return StatusError(400, Reason.BAD_REQUEST, message)


def request_rejected(why: str) -> StatusError:
    """A well-formed request does not fit the object it is for (a JSON patch); the cause says why."""
    message = "the server rejected our request due to an error in our request"
    return StatusError(422, Reason.INVALID, message, Details(causes=capped_causes([Cause(message=why)])))


def unauthorized(message: str = "") -> StatusError:
    """The caller is not known."""
    return StatusError(401, Reason.UNAUTHORIZED, message or "not authorized")


def forbidden(resource: GroupResource, name: str, why: str) -> StatusError:
    """`pods "x" is forbidden: why`; shorter when name or resource are empty."""
    if not resource.resource and not resource.group:
        message = f"forbidden: {why}"
    elif not name:
        message = f"{resource} is forbidden: {why}"
    else:
        message = f"{resource} {quote(name)} is forbidden: {why}"
    return StatusError(403, Reason.FORBIDDEN, message, _of(resource, name))


def expired(message: str, continue_token: str = "") -> StatusError:
    """A resource version or continue token whose history is gone; list again, or go on with `continue_token`."""
    return StatusError(410, Reason.EXPIRED, message, continue_token=continue_token)


def gone(message: str) -> StatusError:
    """What was asked for existed and no longer does, with no address to go to."""
    return StatusError(410, Reason.GONE, message)


def too_many_requests(message: str, retry_after_seconds: int = 1) -> StatusError:
    """The caller is limited, or the action would break a budget (eviction)."""
    return StatusError(429, Reason.TOO_MANY_REQUESTS, message, Details(retry_after_seconds=retry_after_seconds))


def timeout(message: str, retry_after_seconds: int = 0) -> StatusError:
    """`Timeout: message`: the call could not be completed within the time the caller gave."""
    return StatusError(504, Reason.TIMEOUT, f"Timeout: {message}", Details(retry_after_seconds=retry_after_seconds))


def server_timeout(resource: GroupResource, operation: str, retry_after_seconds: int = 0) -> StatusError:
    """The server gave up on `operation`; the call may be repeated."""
    message = f"The {operation} operation against {resource} could not be completed at this time, please try again."
    details = _of(resource, operation)._replace(retry_after_seconds=retry_after_seconds)
    return StatusError(500, Reason.SERVER_TIMEOUT, message, details)


def service_unavailable(message: str) -> StatusError:
    """The server cannot serve this now (starting, shutting down, its store is away)."""
    return StatusError(503, Reason.SERVICE_UNAVAILABLE, message)


def internal(why: str) -> StatusError:
    """`Internal error occurred: why`: a fault of the server."""
    return StatusError(
        500,
        Reason.INTERNAL_ERROR,
        f"Internal error occurred: {why}",
        Details(causes=capped_causes([Cause(message=why)])),
    )


def method_not_supported(resource: GroupResource, action: str) -> StatusError:
    """`create is not supported on resources of kind "componentstatuses"`."""
    message = f"{action} is not supported on resources of kind {quote(str(resource))}"
    return StatusError(405, Reason.METHOD_NOT_ALLOWED, message, Details(group=resource.group, kind=resource.resource))


def request_entity_too_large(message: str) -> StatusError:
    """`Request entity too large: message`."""
    return StatusError(413, Reason.REQUEST_ENTITY_TOO_LARGE, f"Request entity too large: {message}")


def unsupported_media_type(accepted: Sequence[str]) -> StatusError:
    """The body is in a format this endpoint does not read."""
    message = f"the body of the request was in an unknown format - accepted media types include: {', '.join(accepted)}"
    return StatusError(415, Reason.UNSUPPORTED_MEDIA_TYPE, message)


def not_acceptable(accepted: Sequence[str]) -> StatusError:
    """The caller accepts no format this endpoint can write."""
    message = f"only the following media types are accepted: {', '.join(accepted)}"
    return StatusError(406, Reason.NOT_ACCEPTABLE, message)


def _of(resource: GroupResource, name: str) -> Details:
    return Details(name=name, group=resource.group, kind=resource.resource)
