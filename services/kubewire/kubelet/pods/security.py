"""Who containers run as and what they may do: security contexts as CRI has them. Pure."""

from __future__ import annotations

from typing import Final, NamedTuple

from kubewire.api.core.v1.container_pb2 import Container
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.api.core.v1.security_context_pb2 import SeccompProfile
from kubewire.cri.v1 import api_pb2 as cri
from kubewire.kubelet.errors import ContainerConfigError

_MASKED: Final = (
    "/proc/asound",
    "/proc/acpi",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/sys/firmware",
    "/sys/devices/virtual/powercap",
)
_READ_ONLY: Final = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")
_ROOT: Final = 0


class ImageUser(NamedTuple):
    """Who an image runs as by itself: a uid, or a name that only its own /etc/passwd knows."""

    uid: int | None = None
    name: str = ""


def namespaces(pod: Pod) -> cri.NamespaceOption:
    """Which namespaces the pod shares with the node, and which its containers share."""
    spec = pod.spec
    pid = cri.POD if spec.shareProcessNamespace else cri.CONTAINER
    return cri.NamespaceOption(
        network=cri.NODE if spec.hostNetwork else cri.POD,
        pid=cri.NODE if spec.hostPID else pid,
        ipc=cri.NODE if spec.hostIPC else cri.POD,
    )


def sandbox_security(pod: Pod) -> cri.LinuxSandboxSecurityContext:
    """The sandbox's; it is privileged if one of its containers is."""
    context = pod.spec.securityContext
    found = cri.LinuxSandboxSecurityContext(
        namespace_options=namespaces(pod),
        supplemental_groups=_groups(pod),
        seccomp=_seccomp(context.seccompProfile),
        privileged=any(one.securityContext.privileged for one in (*pod.spec.initContainers, *pod.spec.containers)),
    )
    if context.HasField("runAsUser"):
        found.run_as_user.value = context.runAsUser
    if context.HasField("runAsGroup") and context.HasField("runAsUser"):
        found.run_as_group.value = context.runAsGroup
    return found


def container_security(pod: Pod, container: Container, image_user: ImageUser) -> cri.LinuxContainerSecurityContext:
    """A container's; its own context goes before the pod's.

    Raises:
        ContainerConfigError: it must not run as root, and does or may.
    """
    own = container.securityContext
    _check_non_root(pod, container, image_user)
    found = cri.LinuxContainerSecurityContext(
        namespace_options=namespaces(pod),
        supplemental_groups=_groups(pod),
        privileged=own.privileged,
        readonly_rootfs=own.readOnlyRootFilesystem,
        no_new_privs=own.HasField("allowPrivilegeEscalation") and not own.allowPrivilegeEscalation,
        capabilities=cri.Capability(
            add_capabilities=[_capability(name) for name in own.capabilities.add],
            drop_capabilities=[_capability(name) for name in own.capabilities.drop],
        ),
        seccomp=_seccomp(
            own.seccompProfile if own.HasField("seccompProfile") else pod.spec.securityContext.seccompProfile,
            privileged=own.privileged,
        ),
    )
    if not own.privileged and own.procMount != "Unmasked":
        found.masked_paths.extend(_MASKED)
        found.readonly_paths.extend(_READ_ONLY)
    _set_user(found, pod, container, image_user)
    return found


def _set_user(found: cri.LinuxContainerSecurityContext, pod: Pod, container: Container, image_user: ImageUser) -> None:
    user = _user(pod, container)
    if user is not None:
        found.run_as_user.value = user
    elif image_user.name:
        found.run_as_username = image_user.name
    else:
        found.run_as_user.value = image_user.uid or _ROOT
    for context in (container.securityContext, pod.spec.securityContext):
        if context.HasField("runAsGroup"):
            found.run_as_group.value = context.runAsGroup
            return


def _user(pod: Pod, container: Container) -> int | None:
    for context in (container.securityContext, pod.spec.securityContext):
        if context.HasField("runAsUser"):
            return context.runAsUser
    return None


def _check_non_root(pod: Pod, container: Container, image_user: ImageUser) -> None:
    own, shared = container.securityContext, pod.spec.securityContext
    wanted = own.runAsNonRoot if own.HasField("runAsNonRoot") else shared.runAsNonRoot
    if not wanted:
        return
    about = f'(pod: "{pod.metadata.name}_{pod.metadata.namespace}({pod.metadata.uid})", container: {container.name})'
    user = _user(pod, container)
    if user is not None:
        if user == _ROOT:
            raise ContainerConfigError(f"container's runAsUser breaks non-root policy {about}")
    elif image_user.name:
        raise ContainerConfigError(
            f"container has runAsNonRoot and image has non-numeric user ({image_user.name}), cannot verify user is "
            f"non-root {about}"
        )
    elif not image_user.uid:
        raise ContainerConfigError(f"container has runAsNonRoot and image will run as root {about}")


def _groups(pod: Pod) -> list[int]:
    context = pod.spec.securityContext
    return [*context.supplementalGroups, *([context.fsGroup] if context.HasField("fsGroup") else [])]


def _seccomp(profile: SeccompProfile, *, privileged: bool = False) -> cri.SecurityProfile:
    kind = cri.SecurityProfile
    if privileged or profile.type in {"", "Unconfined"}:
        return kind(profile_type=kind.Unconfined)
    if profile.type == "Localhost":
        return kind(profile_type=kind.Localhost, localhost_ref=profile.localhostProfile)
    return kind(profile_type=kind.RuntimeDefault)


def _capability(name: str) -> str:
    return name.upper().removeprefix("CAP_")
