"""The steps of a write that need nothing but the object and the request; `pipeline.py` puts them in order.

Each takes the Write and changes it, or refuses by raising StatusError. Those of an update run again for each attempt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kubewire.apiserver.admission.contracts import Operation, Request
from kubewire.apiserver.registry.lifecycle import is_open, require_open
from kubewire.apiserver.registry.metadata import fill_new, generate_name, match_name, match_namespace
from kubewire.apiserver.registry.option_rules import parse_resource_version
from kubewire.apiserver.registry.templates import spec_of
from kubewire.machinery import errors, field_errors
from kubewire.machinery.errors import Reason, StatusError
from kubewire.machinery.field_path import ROOT
from kubewire.machinery.gvk import GroupKind

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from google.protobuf.message import Message

    from kubewire.apiserver.registry.write import Write
    from kubewire.machinery.field_errors import FieldError

_VERSION_PATH: Final = ROOT.child("metadata", "resourceVersion")


def complete(write: Write) -> None:
    """A new object is in the request's namespace, has a name of its own, and everything only the server may say."""
    meta, core = write.meta, write.core
    match_namespace(meta, write.call.namespace)
    if parse_resource_version(meta.resourceVersion):
        why = "resourceVersion should not be set on objects to be created"
        raise StatusError(500, Reason.UNKNOWN, why)
    meta.ClearField("resourceVersion")
    fill_new(meta, write.ctx.now_seconds, core.random)
    write.is_name_generated = generate_name(meta, core.random)


def default(write: Write) -> None:
    """What the author left out gets its usual value."""
    if write.is_defaulted:
        return
    write.kind.default(write.obj)
    if write.spec_key and write.kind.specs is not None:
        write.kind.specs.put(write.spec_key, spec_of(write.obj).SerializeToString(deterministic=True))


def open_namespace(write: Write) -> Awaitable[None] | None:
    """New objects need a namespace that takes them."""
    kind, namespace = write.kind, write.call.namespace
    if not kind.resource.namespaced or is_open(write.core, namespace):
        return None
    return require_open(write.core, namespace, kind.resource.group_resource, write.meta.name)


def mutate_new(write: Write) -> None:
    """Admission plug-ins may change a new object."""
    write.core.admission.mutate(write.obj, _request(write, Operation.CREATE))


def prepare_new(write: Write) -> None:
    """The kind clears what a create may not set, and fills what the server owns."""
    write.kind.strategy.prepare_create(write.obj, write.ctx)


def validate_new(write: Write) -> None:
    """The object is well-formed, and no admission plug-in refuses it."""
    _refuse_invalid(write, write.kind.strategy.validate_create(write.obj))
    write.core.admission.validate(write.obj, _request(write, Operation.CREATE))
    _warn(write)


def change(write: Write) -> None:
    """Make the new object out of the request and the old one; it stays the object the request is about."""
    write.obj = write.change(write)
    match_name(write.meta, write.call.name, write.call.namespace)
    match_namespace(write.meta, write.call.namespace)


def check_version(write: Write) -> None:
    """An update is of the object and of the version that its author saw."""
    meta, found = write.meta, write.found
    given = parse_resource_version(meta.resourceVersion)
    meta.ClearField("resourceVersion")
    if meta.uid:
        _check_uid(write)
    if found is None:
        return
    if given and given != found.revision:
        raise errors.conflict(write.kind.resource.group_resource, write.call.name)
    if not given and write.verb == "update" and not write.kind.strategy.allow_unconditional_update:
        problem = field_errors.invalid(_VERSION_PATH, 0, "must be specified for an update")
        resource = write.kind.resource
        # Upstream names the resource where the kind should be, and clients have got used to it.
        raise errors.invalid(GroupKind(resource.group, resource.plural), write.call.name, [problem])


def _check_uid(write: Write) -> None:
    stored = "" if write.found is None else write.found.metadata.uid
    if write.meta.uid == stored:
        return
    key = write.kind.key(write.call.namespace, write.call.name).decode()
    why = (
        f"StorageError: invalid object, Code: 4, Key: {key}, ResourceVersion: 0, AdditionalErrorMsg: "
        f"Precondition failed: UID in precondition: {write.meta.uid}, UID in object meta: {stored}"
    )
    raise errors.conflict(write.kind.resource.group_resource, write.call.name, why)


def mutate_changed(write: Write) -> None:
    """Admission plug-ins may change an update of the whole object."""
    if not write.call.subresource:
        write.core.admission.mutate(write.obj, _request(write, Operation.UPDATE))


def prepare_changed(write: Write) -> None:
    """The kind puts back what this way of updating may not change, and counts generations."""
    write.updating.prepare_update(write.obj, _old(write), write.ctx)


def validate_changed(write: Write) -> None:
    """The change is allowed, and no admission plug-in refuses it."""
    _refuse_invalid(write, write.updating.validate_update(write.obj, _old(write)))
    write.core.admission.validate(write.obj, _request(write, Operation.UPDATE))
    _warn(write)


def _old(write: Write) -> Message:
    assert write.old is not None, "an update of nothing is a create"
    return write.old


def _request(write: Write, operation: Operation) -> Request:
    meta = write.meta
    call = write.call
    old = write.old
    return Request(write.kind.resource, operation, meta.namespace, meta.name, old, call.identity, call.subresource)


def _refuse_invalid(write: Write, problems: list[FieldError]) -> None:
    if problems:
        raise errors.invalid(write.kind.resource.group_kind, write.meta.name, problems)


def _warn(write: Write) -> None:
    write.warnings = write.kind.strategy.warnings(write.obj)
