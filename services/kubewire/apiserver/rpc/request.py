"""Reading requests of all services by field number; objects stay bytes.

Clients send the same options over and over, so they are read once for each different bytes.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Concatenate, Final, ParamSpec, TypeVar

from google.protobuf.message import DecodeError, Message

from kubewire.api.meta.v1.options_pb2 import (
    CreateOptions,
    PatchOptions,
    UpdateOptions,
)
from kubewire.api.meta.v1.options_pb2 import (
    DeleteOptions as DeleteMessage,
)
from kubewire.api.meta.v1.options_pb2 import (
    GetOptions as GetMessage,
)
from kubewire.api.meta.v1.options_pb2 import (
    ListOptions as ListMessage,
)
from kubewire.apiserver.contracts import PatchType
from kubewire.apiserver.options import DeleteOptions, GetOptions, ListOptions, Preconditions, WatchOptions, WriteOptions
from kubewire.apiserver.rest import options as option_texts
from kubewire.machinery import errors
from kubewire.rpc.v1.raw_pb2 import RawObject, RawRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

BATCH_WINDOW_SECONDS: Final = 0.01
"""How long an event waits for company unless the client says otherwise: not noticed by people, a batch under load."""

BATCH_WINDOW_AT_MOST_SECONDS: Final = 10.0
BATCH_AT_MOST: Final = 1000
"""Objects in one batch call: its answer, objects included, should fit into what clients receive by default."""

PATCH_TYPES: Final = {1: PatchType.JSON, 2: PatchType.MERGE, 3: PatchType.STRATEGIC, 4: PatchType.APPLY_YAML}
"""`kubewire.rpc.v1.PatchType`."""

_REMEMBERED: Final = 512
_REMEMBERED_BYTES: Final = 2048
Options = TypeVar("Options")
Rest = ParamSpec("Rest")
OptionsT = TypeVar("OptionsT", bound=Message)


def _remembered(read: Callable[Concatenate[bytes, Rest], Options]) -> Callable[Concatenate[bytes, Rest], Options]:
    """Read equal bytes once, unless they are so long that keeping them would let clients fill the memory."""
    kept = lru_cache(maxsize=_REMEMBERED)(read)

    def read_or_recall(data: bytes, /, *rest: Rest.args, **named: Rest.kwargs) -> Options:
        if len(data) > _REMEMBERED_BYTES:
            return read(data, *rest, **named)
        return kept(data, *rest, **named)  # type: ignore[arg-type]  # mypy cannot tell that all parameters are hashable

    return read_or_recall


def parse(data: bytes) -> RawRequest:
    """A request.

    Raises:
        StatusError: 400, the bytes are no request of ours.
    """
    try:
        return RawRequest.FromString(data)
    except DecodeError as error:
        raise errors.bad_request(f"the request is malformed: {error}") from None


def name_of(request: RawRequest) -> str:
    """The name of a request for one object."""
    return request.names[-1] if request.names else ""


def object_of(request: RawRequest) -> bytes:
    """The object of a request that has one."""
    return joined(request.objects)


def joined(pieces: Iterable[bytes]) -> bytes:
    """One message from its pieces, as protobuf merges them."""
    return b"".join(pieces)


def identity_of(raw: bytes) -> tuple[str, str]:
    """Namespace and name in an object's metadata.

    Raises:
        StatusError: 400, the bytes are no object.
    """
    try:
        metadata = RawObject.FromString(raw).metadata
    except DecodeError as error:
        raise errors.bad_request(f"the object provided is malformed: {error}") from None
    return metadata.namespace, metadata.name


def batch_of(request: RawRequest) -> list[bytes]:
    """The objects of a batch.

    Raises:
        StatusError: 413, they are too many for one call.
    """
    check_batch(len(request.objects))
    return list(request.objects)


def check_batch(count: int) -> None:
    """Raises StatusError 413 for more objects than one batch may have."""
    if count > BATCH_AT_MOST:
        raise errors.request_entity_too_large(f"a batch has at most {BATCH_AT_MOST} objects, this one has {count}")


def window_seconds(request: RawRequest) -> float:
    """How long the events of a watch may wait for others."""
    if not request.HasField("batch_window_milliseconds"):
        return BATCH_WINDOW_SECONDS
    return min(max(request.batch_window_milliseconds, 0) / 1000, BATCH_WINDOW_AT_MOST_SECONDS)


def patch_type(request: RawRequest) -> PatchType:
    """The type of a patch.

    Raises:
        StatusError: 400, none is named.
    """
    found = PATCH_TYPES.get(request.patch_type)
    if found is None:
        known = "PATCH_TYPE_JSON, PATCH_TYPE_MERGE, PATCH_TYPE_STRATEGIC or PATCH_TYPE_APPLY"
        raise errors.bad_request(f"patch_type: want {known}, got {request.patch_type}")
    return found


@_remembered
def get_options(data: bytes) -> GetOptions:
    """From `meta.v1.GetOptions`."""
    return GetOptions(_message(GetMessage, data).resourceVersion)


@_remembered
def list_options(data: bytes) -> ListOptions:
    """From `meta.v1.ListOptions`, of a list or a selection."""
    message = _message(ListMessage, data)
    return ListOptions(
        label_selector=message.labelSelector,
        field_selector=message.fieldSelector,
        limit=message.limit,
        continue_token=getattr(message, "continue"),
        resource_version=message.resourceVersion,
        resource_version_match=message.resourceVersionMatch,
    )


@_remembered
def watch_options(data: bytes, batch_window_seconds: float) -> WatchOptions:
    """From `meta.v1.ListOptions`, of a watch.

    Who names neither a version nor whether to begin with the state gets what happens from now on. REST has an older
    habit there: it sends all objects first, without a mark where they end.
    """
    message = _message(ListMessage, data)
    match, initial = message.resourceVersionMatch, message.sendInitialEvents
    wants_initial = initial if message.HasField("sendInitialEvents") else None
    if wants_initial is None and not message.resourceVersion and not match:
        wants_initial, match = False, "NotOlderThan"
    return WatchOptions(
        label_selector=message.labelSelector,
        field_selector=message.fieldSelector,
        resource_version=message.resourceVersion,
        resource_version_match=match,
        send_initial_events=wants_initial,
        allow_bookmarks=message.allowWatchBookmarks,
        timeout_seconds=float(message.timeoutSeconds) if message.timeoutSeconds > 0 else None,
        batch_window_seconds=batch_window_seconds,
    )


@_remembered
def create_options(data: bytes) -> WriteOptions:
    """From `meta.v1.CreateOptions`."""
    return _write_options(_message(CreateOptions, data), "CreateOptions")


@_remembered
def update_options(data: bytes) -> WriteOptions:
    """From `meta.v1.UpdateOptions`."""
    return _write_options(_message(UpdateOptions, data), "UpdateOptions")


@_remembered
def patch_options(data: bytes, patch: PatchType) -> WriteOptions:
    """From `meta.v1.PatchOptions`."""
    return _write_options(_message(PatchOptions, data), "PatchOptions", patch)


@_remembered
def delete_options(data: bytes) -> DeleteOptions:
    """From `meta.v1.DeleteOptions`."""
    message = _message(DeleteMessage, data)
    conditions = message.preconditions
    return DeleteOptions(
        grace_period_seconds=message.gracePeriodSeconds if message.HasField("gracePeriodSeconds") else None,
        propagation_policy=message.propagationPolicy or None,
        orphan_dependents=message.orphanDependents if message.HasField("orphanDependents") else None,
        preconditions=Preconditions(
            uid=conditions.uid if conditions.HasField("uid") else None,
            resource_version=conditions.resourceVersion if conditions.HasField("resourceVersion") else None,
        ),
        dry_run=option_texts.is_dry_run("DeleteOptions", message.dryRun),
    )


def _write_options(
    message: CreateOptions | UpdateOptions | PatchOptions, kind: str, patch: PatchType | None = None
) -> WriteOptions:
    """Judged as the REST face judges its query, so that both refuse the same with the same words."""
    texts = {"fieldManager": message.fieldManager, "fieldValidation": message.fieldValidation}
    if message.dryRun:
        texts["dryRun"] = next((value for value in message.dryRun if value != "All"), "All")
    if isinstance(message, PatchOptions) and message.HasField("force"):
        texts["force"] = str(message.force).lower()
    return option_texts.write_options({name: text for name, text in texts.items() if text}, kind, patch)


def _message(kind: type[OptionsT], data: bytes) -> OptionsT:
    try:
        return kind.FromString(data)
    except DecodeError as error:
        raise errors.bad_request(f"options: no {kind.DESCRIPTOR.name} can be read: {error}") from None
