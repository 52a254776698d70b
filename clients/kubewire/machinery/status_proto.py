"""StatusError to and from the `meta.v1.Status` message.

Apart from `errors` because it needs generated modules, which raising and catching errors should not load.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from kubewire.machinery.errors import Cause, Details, StatusError
from kubewire.machinery.messages import message_class

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from kubewire.api.meta.v1.status_pb2 import Status

_CONTINUE = "continue"
"""A field whose name is a keyword of Python."""

_STATUS = "k8s.io.apimachinery.pkg.apis.meta.v1.Status"


def encode(error: StatusError) -> Message:
    """The message, with the fields a Kubernetes server would set."""
    status = cast("Status", message_class(_STATUS)())
    status.metadata.SetInParent()
    if error.continue_token:
        setattr(status.metadata, _CONTINUE, error.continue_token)
    status.status = "Failure"
    status.message = error.message
    status.reason = str(error.reason)
    status.code = error.code
    if error.details is not None:
        _encode_details(status, error.details)
    return status


def _encode_details(status: Status, details: Details) -> None:
    target = status.details
    target.name, target.group, target.kind = details.name, details.group, details.kind
    target.uid = details.uid
    target.retryAfterSeconds = details.retry_after_seconds
    for cause in details.causes:
        target.causes.add(reason=str(cause.type), message=cause.message, field=cause.field)


def decode(message: Message) -> StatusError:
    """The error a Status message stands for."""
    status = cast("Status", message)
    details = status.details
    return StatusError(
        status.code,
        status.reason,
        status.message,
        None
        if not status.HasField("details")
        else Details(
            name=details.name,
            group=details.group,
            kind=details.kind,
            uid=details.uid,
            causes=tuple(Cause(cause.reason, cause.message, cause.field) for cause in details.causes),
            retry_after_seconds=details.retryAfterSeconds,
        ),
        getattr(status.metadata, _CONTINUE),
    )
