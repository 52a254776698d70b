"""Leases and events: what components write most often."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubewire.apiserver.validation.checks import (
    NEGATIVE,
    Problems,
    check_enum,
    check_name,
    check_required_name,
)
from kubewire.machinery import names
from kubewire.machinery.field_errors import FieldError, forbidden, invalid, required
from kubewire.machinery.field_path import ROOT

if TYPE_CHECKING:
    from kubewire.api.coordination.v1.lease_pb2 import Lease
    from kubewire.api.core.v1.event_pb2 import Event

_SPEC = ROOT.child("spec")
_STRATEGIES = ("OldestEmulationVersion",)
_MESSAGE_LIMIT = 1024


def validate_lease(lease: Lease) -> list[FieldError]:
    """Durations are positive; a preferred holder needs a strategy."""
    problems: Problems = []
    spec = lease.spec
    if spec.HasField("leaseDurationSeconds") and spec.leaseDurationSeconds <= 0:
        at = _SPEC.child("leaseDurationSeconds")
        problems.append(invalid(at, spec.leaseDurationSeconds, "must be greater than 0"))
    if spec.HasField("leaseTransitions") and spec.leaseTransitions < 0:
        problems.append(invalid(_SPEC.child("leaseTransitions"), spec.leaseTransitions, NEGATIVE))
    if spec.HasField("strategy"):
        if "/" in spec.strategy:
            check_name(names.qualified_name, spec.strategy, _SPEC.child("strategy"), problems)
        else:
            check_enum(spec.strategy, _STRATEGIES, _SPEC.child("strategy"), problems)
    if spec.preferredHolder and not spec.strategy:
        detail = "may only be specified if `strategy` is defined"
        problems.append(forbidden(_SPEC.child("preferredHolder"), detail))
    return problems


def validate_lease_update(new: Lease, _old: Lease) -> list[FieldError]:
    """As on creation."""
    return validate_lease(new)


def validate_event(event: Event) -> list[FieldError]:
    """An event lies in the namespace of what it is about; those with a time say more."""
    problems: Problems = []
    involved, namespace = event.involvedObject.namespace, event.metadata.namespace
    is_timed = event.eventTime.seconds != 0
    homeless = {"default", "kube-system"} if is_timed else {"", "default"}
    is_right = (is_timed or involved == namespace) if involved else namespace in homeless
    if not is_right:
        at = ROOT.child("involvedObject", "namespace")
        problems.append(invalid(at, involved, "does not match event.namespace"))
    if is_timed:
        _check_timed_event(event, problems)
    return problems


def _check_timed_event(event: Event, problems: Problems) -> None:
    check_required_name(names.qualified_name, event.reportingComponent, ROOT.child("reportingComponent"), problems)
    for name in ("reportingInstance", "action", "reason"):
        if not getattr(event, name):
            problems.append(required(ROOT.child(name)))
    if len(event.message.encode()) > _MESSAGE_LIMIT:
        problems.append(invalid(ROOT.child("message"), "", f"can have at most {_MESSAGE_LIMIT} bytes"))


def validate_event_update(new: Event, _old: Event) -> list[FieldError]:
    """As on creation."""
    return validate_event(new)
