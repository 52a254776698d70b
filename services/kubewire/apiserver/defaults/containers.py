"""Containers of every sort: pull policy, termination message, ports, environment, probes and handlers."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from kubewire.apiserver.defaults.images import default_pull_policy
from kubewire.apiserver.defaults.resource_lists import default_requirements

if TYPE_CHECKING:
    from kubewire.api.core.v1.container_pb2 import Container, EphemeralContainerCommon
    from kubewire.api.core.v1.env_pb2 import EnvVarSource
    from kubewire.api.core.v1.field_selector_pb2 import ObjectFieldSelector
    from kubewire.api.core.v1.probe_pb2 import HTTPGetAction, Lifecycle, Probe

AnyContainer: TypeAlias = "Container | EphemeralContainerCommon"


def default_container(container: AnyContainer) -> None:
    """Fill one container, init container or ephemeral container."""
    if not container.imagePullPolicy:
        container.imagePullPolicy = default_pull_policy(container.image)
    if not container.terminationMessagePath:
        container.terminationMessagePath = "/dev/termination-log"
    if not container.terminationMessagePolicy:
        container.terminationMessagePolicy = "File"
    if container.HasField("resources"):
        default_requirements(container.resources)
    if container.ports:
        _default_ports(container)
    if container.env:
        _default_env(container)
    _default_probes(container)


def _default_ports(container: AnyContainer) -> None:
    for port in container.ports:
        if not port.protocol:
            port.protocol = "TCP"


def _default_env(container: AnyContainer) -> None:
    for variable in container.env:
        if variable.HasField("valueFrom"):
            _default_env_source(variable.valueFrom)


def _default_env_source(source: EnvVarSource) -> None:
    if source.HasField("fieldRef"):
        default_field_selector(source.fieldRef)
    if source.HasField("fileKeyRef") and not source.fileKeyRef.HasField("optional"):
        source.fileKeyRef.optional = False


def default_field_selector(selector: ObjectFieldSelector) -> None:
    """Fields of a pod are named in `v1`."""
    if not selector.apiVersion:
        selector.apiVersion = "v1"


def _default_probes(container: AnyContainer) -> None:
    if container.HasField("livenessProbe"):
        default_probe(container.livenessProbe)
    if container.HasField("readinessProbe"):
        default_probe(container.readinessProbe)
    if container.HasField("startupProbe"):
        default_probe(container.startupProbe)
    if container.HasField("lifecycle"):
        _default_lifecycle(container.lifecycle)


def default_probe(probe: Probe) -> None:
    """Fill the timing of a probe, and what its action leaves open."""
    if not probe.timeoutSeconds:
        probe.timeoutSeconds = 1
    if not probe.periodSeconds:
        probe.periodSeconds = 10
    if not probe.successThreshold:
        probe.successThreshold = 1
    if not probe.failureThreshold:
        probe.failureThreshold = 3
    action = probe.handler
    if action.HasField("httpGet"):
        _default_http_get(action.httpGet)
    if action.HasField("grpc") and not action.grpc.HasField("service"):
        action.grpc.service = ""


def _default_lifecycle(lifecycle: Lifecycle) -> None:
    if lifecycle.postStart.HasField("httpGet"):
        _default_http_get(lifecycle.postStart.httpGet)
    if lifecycle.preStop.HasField("httpGet"):
        _default_http_get(lifecycle.preStop.httpGet)


def _default_http_get(action: HTTPGetAction) -> None:
    if not action.path:
        action.path = "/"
    if not action.scheme:
        action.scheme = "HTTP"
