"""Containers of every sort, and the ports, mounts and names they may not share."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from kubewire.apiserver.validation.checks import (
    Problems,
    check_descending_path,
    check_enum,
    check_given,
    check_name,
    check_port,
    check_required_name,
    problems_of,
)
from kubewire.apiserver.validation.env import check_env, check_env_from
from kubewire.apiserver.validation.probes import check_probes
from kubewire.apiserver.validation.resources import check_requirements
from kubewire.apiserver.validation.security import check_security_context
from kubewire.machinery import names
from kubewire.machinery.field_errors import duplicate, forbidden, invalid, not_found, not_supported, required
from kubewire.machinery.field_path import Path

if TYPE_CHECKING:
    from kubewire.api.core.v1.container_pb2 import (
        Container,
        ContainerPort,
        EphemeralContainer,
        EphemeralContainerCommon,
        VolumeMount,
    )

AnyContainer: TypeAlias = "Container | EphemeralContainerCommon"

PROTOCOLS = ("SCTP", "TCP", "UDP")
PULL_POLICIES = ("Always", "IfNotPresent", "Never")
_MESSAGE_POLICIES = ("FallbackToLogsOnError", "File")
_PROPAGATIONS = ("Bidirectional", "HostToContainer", "None")
_RESTART_POLICIES = ("Always", "Never", "OnFailure")
_RESIZE_RESOURCES = ("cpu", "memory")
_RESIZE_POLICIES = ("NotRequired", "RestartContainer")

_INIT_ONLY = ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe")
_NOT_EPHEMERAL = (
    "lifecycle",
    "livenessProbe",
    "readinessProbe",
    "startupProbe",
    "ports",
    "resources",
    "resizePolicy",
    "restartPolicyRules",
)


@dataclass(frozen=True, slots=True)
class PodScope:
    """What of the pod its containers are checked against."""

    volumes: Collection[str]
    grace_seconds: int
    host_users: bool
    claims: Collection[str] = ()


def check_containers(
    containers: Sequence[Container], scope: PodScope, path: Path, problems: Problems, *, taken: set[str]
) -> None:
    """The containers a pod runs; `taken` holds names already used and collects theirs."""
    if not containers:
        problems.append(required(path))
        return
    for position, container in enumerate(containers):
        at = path.index(position)
        _check_container(container, scope, at, problems)
        _check_unique(container.name, taken, at, problems)
        check_probes(container, scope.grace_seconds, at, problems)
        if container.restartPolicy and container.restartPolicy not in _RESTART_POLICIES:
            problems.append(not_supported(at.child("restartPolicy"), container.restartPolicy, _RESTART_POLICIES))
    if any(port.hostPort for container in containers for port in container.ports):
        check_host_ports(containers, path, problems)


def check_init_containers(
    containers: Sequence[Container], scope: PodScope, path: Path, problems: Problems, *, taken: set[str]
) -> None:
    """Containers that run first; those that always restart are sidecars and may have probes (KEP-753)."""
    for position, container in enumerate(containers):
        at = path.index(position)
        _check_container(container, scope, at, problems)
        _check_unique(container.name, taken, at, problems)
        if container.restartPolicy and container.restartPolicy not in _RESTART_POLICIES:
            problems.append(not_supported(at.child("restartPolicy"), container.restartPolicy, _RESTART_POLICIES))
        if container.restartPolicy == "Always":
            check_probes(container, scope.grace_seconds, at, problems)
            continue
        detail = "may not be set for init containers without restartPolicy=Always"
        problems.extend(
            forbidden(at.child(member.name), detail)
            for member, _ in container.ListFields()
            if member.name in _INIT_ONLY
        )
        check_host_ports([container], path, problems)


def check_ephemeral_containers(
    containers: Sequence[EphemeralContainer],
    scope: PodScope,
    path: Path,
    problems: Problems,
    *,
    taken: set[str],
) -> None:
    """Containers that come to look at a running pod: they serve nothing and reserve nothing."""
    targets = set(taken)
    for position, ephemeral in enumerate(containers):
        at, container = path.index(position), ephemeral.ephemeralContainerCommon
        _check_container(container, scope, at, problems)
        _check_unique(container.name, taken, at, problems)
        if ephemeral.targetContainerName and ephemeral.targetContainerName not in targets:
            problems.append(not_found(at.child("targetContainerName"), ephemeral.targetContainerName))
        detail = "cannot be set for an Ephemeral Container"
        problems.extend(
            forbidden(at.child(member.name), detail)
            for member, _ in container.ListFields()
            if member.name in _NOT_EPHEMERAL and member.name != "resources"
        )
        if container.resources.ListFields():
            problems.append(forbidden(at.child("resources"), detail))


def _check_unique(name: str, taken: set[str], path: Path, problems: Problems) -> None:
    if name in taken:
        problems.append(duplicate(path.child("name"), name))
    elif name:
        taken.add(name)


def _check_container(container: AnyContainer, scope: PodScope, path: Path, problems: Problems) -> None:
    """What all sorts of containers have in common."""
    name = container.name
    if not name or problems_of(names.dns1123_label, name):
        check_required_name(names.dns1123_label, name, path.child("name"), problems)
    if not container.image:
        problems.append(required(path.child("image")))
    if container.terminationMessagePolicy not in _MESSAGE_POLICIES:
        at = path.child("terminationMessagePolicy")
        check_enum(container.terminationMessagePolicy, _MESSAGE_POLICIES, at, problems)
    _check_lists(container, scope, path, problems)
    if container.imagePullPolicy not in PULL_POLICIES:
        check_enum(container.imagePullPolicy, PULL_POLICIES, path.child("imagePullPolicy"), problems)
    if container.HasField("resources"):
        _check_resources(container, scope, path, problems)
    if container.resizePolicy:
        _check_resize_policies(container, path, problems)
    if container.HasField("securityContext"):
        at = path.child("securityContext")
        check_security_context(container.securityContext, at, problems, host_users=scope.host_users)


def _check_resources(container: AnyContainer, scope: PodScope, path: Path, problems: Problems) -> None:
    check_requirements(container.resources, path.child("resources"), problems)
    for position, claim in enumerate(container.resources.claims):
        at = path.child("resources", "claims").index(position)
        if not claim.name:
            problems.append(required(at))
        elif claim.name not in scope.claims:
            problems.append(not_found(at, claim.name))


def _check_resize_policies(container: AnyContainer, path: Path, problems: Problems) -> None:
    for position, policy in enumerate(container.resizePolicy):
        at = path.child("resizePolicy").index(position)
        check_enum(policy.resourceName, _RESIZE_RESOURCES, at.child("resourceName"), problems)
        check_enum(policy.restartPolicy, _RESIZE_POLICIES, at.child("restartPolicy"), problems)


def _check_ports(ports: Sequence[ContainerPort], path: Path, problems: Problems) -> None:
    seen: set[str] = set()
    for position, port in enumerate(ports):
        if port.name:
            at = path.index(position).child("name")
            if problems_of(names.port_name, port.name):
                check_name(names.port_name, port.name, at, problems)
            elif port.name in seen:
                problems.append(duplicate(at, port.name))
            seen.add(port.name)
        if not 1 <= port.containerPort <= 65535:
            _check_container_port(port, path.index(position), problems)
        if port.hostPort:
            check_port(port.hostPort, path.index(position).child("hostPort"), problems)
        if port.protocol not in PROTOCOLS:
            check_enum(port.protocol, PROTOCOLS, path.index(position).child("protocol"), problems)


def _check_container_port(port: ContainerPort, path: Path, problems: Problems) -> None:
    if not port.containerPort:
        problems.append(required(path.child("containerPort")))
    else:
        check_port(port.containerPort, path.child("containerPort"), problems)


def check_host_ports(containers: Sequence[Container], path: Path, problems: Problems) -> None:
    """No two containers take the same port of the node."""
    taken: set[str] = set()
    for i, container in enumerate(containers):
        for j, port in enumerate(container.ports):
            if not port.hostPort:
                continue
            claim = f"{port.protocol}/{port.hostIP}/{port.hostPort}"
            if claim in taken:
                at = path.index(i).child("ports").index(j).child("hostPort")
                problems.append(duplicate(at, claim))
            taken.add(claim)


def check_host_network(containers: Sequence[Container], path: Path, problems: Problems) -> None:
    """On the node's own network, a container's port is the node's."""
    for i, container in enumerate(containers):
        for j, port in enumerate(container.ports):
            if port.hostPort != port.containerPort:
                at = path.index(i).child("ports").index(j).child("containerPort")
                detail = "must match `hostPort` when `hostNetwork` is true"
                problems.append(invalid(at, port.containerPort, detail))


def _check_lists(container: AnyContainer, scope: PodScope, path: Path, problems: Problems) -> None:
    if container.ports:
        _check_ports(container.ports, path.child("ports"), problems)
    if container.env:
        check_env(container.env, path.child("env"), problems)
    if container.envFrom:
        check_env_from(container.envFrom, path.child("envFrom"), problems)
    if container.volumeMounts:
        _check_mounts(container, scope, path.child("volumeMounts"), problems)
    if container.volumeDevices:
        _check_devices(container, scope, path.child("volumeDevices"), problems)


def _check_mounts(container: AnyContainer, scope: PodScope, path: Path, problems: Problems) -> None:
    devices = {device.name for device in container.volumeDevices}
    mounted: set[str] = set()
    for position, mount in enumerate(container.volumeMounts):
        if mount.name not in scope.volumes:
            at = path.index(position).child("name")
            problems.append(not_found(at, mount.name) if mount.name else required(at))
        elif mount.name in devices:
            at = path.index(position).child("name")
            problems.append(invalid(at, mount.name, "must not already exist in volumeDevices"))
        if not mount.mountPath:
            problems.append(required(path.index(position).child("mountPath")))
        elif mount.mountPath in mounted:
            at = path.index(position).child("mountPath")
            problems.append(invalid(at, mount.mountPath, "must be unique"))
        mounted.add(mount.mountPath)
        if mount.subPath or mount.subPathExpr or mount.mountPropagation:
            _check_mount_details(mount, container, path.index(position), problems)


def _check_mount_details(mount: VolumeMount, container: AnyContainer, path: Path, problems: Problems) -> None:
    if mount.subPath:
        check_descending_path(mount.subPath, path.child("subPath"), problems)
    if mount.subPathExpr:
        if mount.subPath:
            detail = "subPathExpr and subPath are mutually exclusive"
            problems.append(invalid(path.child("subPathExpr"), mount.subPathExpr, detail))
        check_descending_path(mount.subPathExpr, path.child("subPathExpr"), problems)
    if mount.HasField("mountPropagation"):
        at = path.child("mountPropagation")
        if mount.mountPropagation not in _PROPAGATIONS:
            problems.append(not_supported(at, mount.mountPropagation, _PROPAGATIONS))
        elif mount.mountPropagation == "Bidirectional" and not container.securityContext.privileged:
            detail = "Bidirectional mount propagation is available only to privileged containers"
            problems.append(forbidden(at, detail))


def _check_devices(container: AnyContainer, scope: PodScope, path: Path, problems: Problems) -> None:
    names_seen: set[str] = set()
    paths_seen: set[str] = set()
    for position, device in enumerate(container.volumeDevices):
        at = path.index(position)
        if device.name not in scope.volumes:
            problems.append(not_found(at.child("name"), device.name) if device.name else required(at.child("name")))
        elif device.name in names_seen:
            problems.append(invalid(at.child("name"), device.name, "must be unique"))
        check_given(device.devicePath, at.child("devicePath"), problems)
        if device.devicePath in paths_seen:
            problems.append(invalid(at.child("devicePath"), device.devicePath, "must be unique"))
        names_seen.add(device.name)
        paths_seen.add(device.devicePath)
