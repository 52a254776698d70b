"""Probes and lifecycle handlers: what is asked of a container, and how often."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from kubewire.apiserver.validation.checks import (
    Problems,
    check_enum,
    check_name,
    check_not_negative,
    check_port,
    check_port_or_name,
    is_port_or_name,
)
from kubewire.machinery import names
from kubewire.machinery.field_errors import forbidden, invalid, required
from kubewire.machinery.field_path import Path

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from kubewire.api.core.v1.container_pb2 import Container
    from kubewire.api.core.v1.probe_pb2 import HTTPGetAction, Lifecycle, LifecycleHandler, Probe, ProbeHandler

Handler: TypeAlias = "ProbeHandler | LifecycleHandler"

_SCHEMES = ("HTTP", "HTTPS")
_COUNTS = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")


def check_probes(container: Container, grace_seconds: int, path: Path, problems: Problems) -> None:
    """All probes and handlers of a container that serves."""
    if container.HasField("lifecycle"):
        check_lifecycle(container.lifecycle, grace_seconds, path.child("lifecycle"), problems)
    if container.HasField("livenessProbe"):
        _check_restarting_probe(container.livenessProbe, path.child("livenessProbe"), problems)
    if container.HasField("readinessProbe"):
        _check_readiness_probe(container.readinessProbe, path.child("readinessProbe"), problems)
    if container.HasField("startupProbe"):
        _check_restarting_probe(container.startupProbe, path.child("startupProbe"), problems)


def _check_restarting_probe(probe: Probe, path: Path, problems: Problems) -> None:
    """A probe whose failure restarts the container: one success is enough."""
    _check_probe(probe, path, problems)
    if probe.successThreshold != 1:
        problems.append(invalid(path.child("successThreshold"), probe.successThreshold, "must be 1"))


def _check_readiness_probe(probe: Probe, path: Path, problems: Problems) -> None:
    _check_probe(probe, path, problems)
    if probe.HasField("terminationGracePeriodSeconds"):
        detail = "must not be set for readinessProbes"
        at = path.child("terminationGracePeriodSeconds")
        problems.append(invalid(at, probe.terminationGracePeriodSeconds, detail))


def _check_probe(probe: Probe, path: Path, problems: Problems) -> None:
    check_handler(probe.handler, 0, path, problems)
    for name in _COUNTS:
        if getattr(probe, name) < 0:
            check_not_negative(getattr(probe, name), path.child(name), problems)
    if probe.HasField("terminationGracePeriodSeconds") and probe.terminationGracePeriodSeconds <= 0:
        at = path.child("terminationGracePeriodSeconds")
        problems.append(invalid(at, probe.terminationGracePeriodSeconds, "must be greater than 0"))


def check_lifecycle(lifecycle: Lifecycle, grace_seconds: int, path: Path, problems: Problems) -> None:
    """What runs after a container started and before it is stopped."""
    if lifecycle.HasField("postStart"):
        check_handler(lifecycle.postStart, grace_seconds, path.child("postStart"), problems)
    if lifecycle.HasField("preStop"):
        check_handler(lifecycle.preStop, grace_seconds, path.child("preStop"), problems)


def check_handler(handler: Handler, grace_seconds: int, path: Path, problems: Problems) -> None:
    """Exactly one action, and that one complete."""
    actions = handler.ListFields()
    if not actions:
        problems.append(required(path, "must specify a handler type"))
        return
    first = actions[0][0].name
    _check_action(handler, first, grace_seconds, path.child(first), problems)
    problems.extend(
        forbidden(path.child(member.name), "may not specify more than 1 handler type") for member, _ in actions[1:]
    )


def _check_action(handler: Handler, name: str, grace_seconds: int, path: Path, problems: Problems) -> None:
    if name == "exec":
        if not handler.exec.command:
            problems.append(required(path.child("command")))
    elif name == "httpGet":
        _check_http_get(handler.httpGet, path, problems)
    elif name == "tcpSocket":
        check_port_or_name(handler.tcpSocket.port, path.child("port"), problems)
    else:
        action: Message = getattr(handler, name)
        if name == "grpc":
            check_port(getattr(action, "port"), path.child("port"), problems)  # noqa: B009 - one of two types
        else:
            _check_sleep(getattr(action, "seconds"), grace_seconds, path, problems)  # noqa: B009 - likewise


def _check_http_get(action: HTTPGetAction, path: Path, problems: Problems) -> None:
    if not action.path:
        problems.append(required(path.child("path")))
    if not is_port_or_name(action.port):
        check_port_or_name(action.port, path.child("port"), problems)
    if action.scheme not in _SCHEMES:
        check_enum(action.scheme, _SCHEMES, path.child("scheme"), problems)
    for header in action.httpHeaders:
        check_name(names.http_header_name, header.name, path.child("httpHeaders"), problems)


def _check_sleep(seconds: int, grace_seconds: int, path: Path, problems: Problems) -> None:
    if not 0 <= seconds <= grace_seconds:
        detail = f"must be non-negative and less than terminationGracePeriodSeconds ({grace_seconds})"
        problems.append(invalid(path, seconds, detail))
