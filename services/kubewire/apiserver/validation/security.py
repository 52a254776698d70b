"""Security contexts of pods and containers: users, privileges, profiles, kernel parameters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

from kubewire.apiserver.validation.checks import Problems, check_enum, check_range
from kubewire.machinery.field_errors import duplicate, invalid, not_supported, required
from kubewire.machinery.field_path import Path

if TYPE_CHECKING:
    from kubewire.api.core.v1.pod_spec_pb2 import PodSpec
    from kubewire.api.core.v1.security_context_pb2 import (
        AppArmorProfile,
        PodSecurityContext,
        SeccompProfile,
        SecurityContext,
        Sysctl,
    )

AnyContext: TypeAlias = "PodSecurityContext | SecurityContext"

_MAX_ID = 2**31 - 1
_PROFILES = ("Localhost", "RuntimeDefault", "Unconfined")
_PROC_MOUNTS = ("Default", "Unmasked")
_OWNERSHIP_CHANGES = ("Always", "OnRootMismatch")
_GROUP_POLICIES = ("Merge", "Strict")
_SELINUX_POLICIES = ("MountOption", "Recursive")

_SYSCTL_LIMIT = 253
_SYSCTL = "([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_is_sysctl = re.compile(_SYSCTL).fullmatch


def check_security_context(context: SecurityContext, path: Path, problems: Problems, *, host_users: bool) -> None:
    """A container's own context."""
    _check_identity(context, path, problems)
    if context.HasField("procMount"):
        _check_proc_mount(context.procMount, path.child("procMount"), problems, host_users=host_users)
    if context.HasField("allowPrivilegeEscalation") and not context.allowPrivilegeEscalation:
        _check_escalation(context, path, problems)


def _check_escalation(context: SecurityContext, path: Path, problems: Problems) -> None:
    if context.privileged:
        detail = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
        problems.append(invalid(path, _printed(context), detail))
    if "CAP_SYS_ADMIN" in context.capabilities.add:
        detail = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"
        problems.append(invalid(path, _printed(context), detail))


def _printed(context: SecurityContext) -> dict[str, object]:
    """The fields the complaint is about, as messages print them."""
    printed: dict[str, object] = {}
    if context.capabilities.add:
        printed["capabilities"] = {"add": list(context.capabilities.add)}
    if context.HasField("privileged"):
        printed["privileged"] = context.privileged
    printed["allowPrivilegeEscalation"] = context.allowPrivilegeEscalation
    return printed


def _check_proc_mount(mount: str, path: Path, problems: Problems, *, host_users: bool) -> None:
    if mount not in _PROC_MOUNTS:
        problems.append(not_supported(path, mount, _PROC_MOUNTS))
    elif mount == "Unmasked" and host_users:
        problems.append(invalid(path, mount, "`hostUsers` must be false to use `Unmasked`"))


def _check_identity(context: AnyContext, path: Path, problems: Problems) -> None:
    """What contexts of containers and pods have in common."""
    if context.HasField("runAsUser"):
        check_range(context.runAsUser, 0, _MAX_ID, path.child("runAsUser"), problems)
    if context.HasField("runAsGroup"):
        check_range(context.runAsGroup, 0, _MAX_ID, path.child("runAsGroup"), problems)
    if context.HasField("seccompProfile"):
        _check_profile(context.seccompProfile, "seccomp", path.child("seccompProfile"), problems)
    if context.HasField("appArmorProfile"):
        _check_profile(context.appArmorProfile, "AppArmor", path.child("appArmorProfile"), problems)


def _check_profile(profile: SeccompProfile | AppArmorProfile, what: str, path: Path, problems: Problems) -> None:
    check_enum(profile.type, _PROFILES, path.child("type"), problems)
    at = path.child("localhostProfile")
    if profile.type == "Localhost":
        if not profile.HasField("localhostProfile"):
            problems.append(required(at, f"must be set when {what} type is Localhost"))
        elif what == "seccomp" and (profile.localhostProfile.startswith("/") or ".." in profile.localhostProfile):
            detail = "must be a relative path" if profile.localhostProfile.startswith("/") else "must not contain '..'"
            problems.append(invalid(at, profile.localhostProfile, detail))
    elif profile.HasField("localhostProfile"):
        detail = f"can only be set when {what} type is Localhost"
        problems.append(invalid(at, profile.localhostProfile, detail))


def check_pod_security_context(spec: PodSpec, path: Path, problems: Problems) -> None:
    """A pod's context, and the namespaces it shares."""
    context = spec.securityContext
    if spec.HasField("shareProcessNamespace") and spec.shareProcessNamespace and spec.hostPID:
        detail = "ShareProcessNamespace and HostPID cannot both be enabled"
        problems.append(invalid(path.child("shareProcessNamespace"), spec.shareProcessNamespace, detail))
    if not context.ListFields():
        return
    _check_identity(context, path, problems)
    if context.HasField("fsGroup"):
        check_range(context.fsGroup, 0, _MAX_ID, path.child("fsGroup"), problems)
    for position, group in enumerate(context.supplementalGroups):
        check_range(group, 0, _MAX_ID, path.child("supplementalGroups").index(position), problems)
    _check_policies(context, path, problems)
    _check_sysctls(context.sysctls, path.child("sysctls"), problems)


def _check_policies(context: PodSecurityContext, path: Path, problems: Problems) -> None:
    if context.HasField("fsGroupChangePolicy") and context.fsGroupChangePolicy not in _OWNERSHIP_CHANGES:
        at = path.child("fsGroupChangePolicy")
        problems.append(not_supported(at, context.fsGroupChangePolicy, _OWNERSHIP_CHANGES))
    if context.HasField("supplementalGroupsPolicy") and context.supplementalGroupsPolicy not in _GROUP_POLICIES:
        at = path.child("supplementalGroupsPolicy")
        problems.append(not_supported(at, context.supplementalGroupsPolicy, _GROUP_POLICIES))
    if context.HasField("seLinuxChangePolicy") and context.seLinuxChangePolicy not in _SELINUX_POLICIES:
        at = path.child("seLinuxChangePolicy")
        problems.append(not_supported(at, context.seLinuxChangePolicy, _SELINUX_POLICIES))


def _check_sysctls(sysctls: Sequence[Sysctl], path: Path, problems: Problems) -> None:
    seen = set()
    for position, sysctl in enumerate(sysctls):
        at = path.index(position).child("name")
        if not sysctl.name:
            problems.append(required(at))
        elif len(sysctl.name) > _SYSCTL_LIMIT or not _is_sysctl(sysctl.name):
            detail = f"must have at most {_SYSCTL_LIMIT} characters and match regex ^{_SYSCTL}$"
            problems.append(invalid(at, sysctl.name, detail))
        elif sysctl.name in seen:
            problems.append(duplicate(at, sysctl.name))
        seen.add(sysctl.name)
