"""The volume through which a pod's containers find the token of its account, and what an account says of it.

It holds a token that the kubelet renews, the authority the API server's certificate is signed by, and the namespace:
all that a program in a pod needs to call the API.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING, Final, NamedTuple

from kubewire.machinery.names import generated_name

if TYPE_CHECKING:
    from random import Random

    from kubewire.api.core.v1.container_pb2 import Container
    from kubewire.api.core.v1.pod_pb2 import Pod
    from kubewire.api.core.v1.pod_spec_pb2 import PodSpec
    from kubewire.api.core.v1.service_account_pb2 import ServiceAccount
    from kubewire.api.core.v1.volume_pb2 import Volume

PREFIX: Final = "kube-api-access-"
MOUNT_PATH: Final = "/var/run/secrets/kubernetes.io/serviceaccount"
_LIFETIME_SECONDS: Final = 3607
"""An hour and a little, by which upstream tells tokens that it put there itself from those that were asked for."""

_READABLE_BY_ALL: Final = 0o644


class AccountRules(NamedTuple):
    """What an account says of the pods that run under it. `automounts` None: nothing."""

    automounts: bool | None
    pull_secrets: tuple[str, ...]

    @classmethod
    def of(cls, account: ServiceAccount) -> AccountRules:
        """Those of an account."""
        automounts = account.automountServiceAccountToken if account.HasField("automountServiceAccountToken") else None
        return cls(automounts, tuple(secret.name for secret in account.imagePullSecrets))


def follow_account(pod: Pod, rules: AccountRules, random: Random) -> None:
    """Give a new pod what comes with its account: the token's volume, and the secrets images are pulled with."""
    spec = pod.spec
    if _is_mounted(spec, rules):
        _mount(spec, random)
    if not spec.imagePullSecrets:
        for name in rules.pull_secrets:
            spec.imagePullSecrets.add(name=name)


def _is_mounted(spec: PodSpec, rules: AccountRules) -> bool:
    """The pod's word comes before the account's."""
    if spec.HasField("automountServiceAccountToken"):
        return spec.automountServiceAccountToken
    return rules.automounts is not False


def _mount(spec: PodSpec, random: Random) -> None:
    """Mount the volume where nothing is mounted yet; it is there if any container needs it."""
    without = [one for one in _containers(spec) if all(mount.mountPath != MOUNT_PATH for mount in one.volumeMounts)]
    if not without:
        return
    name = next((volume.name for volume in spec.volumes if volume.name.startswith(PREFIX)), "")
    if not name:
        name = generated_name(PREFIX, random)
        _fill(spec.volumes.add(name=name))
    for container in without:
        container.volumeMounts.add(name=name, readOnly=True, mountPath=MOUNT_PATH)


def _containers(spec: PodSpec) -> Iterator[Container]:
    return chain(spec.initContainers, spec.containers)


_made: list[bytes] = []


def _fill(volume: Volume) -> None:
    """The volume's source, parsed from bytes: faster than setting its fields one by one."""
    if not _made:
        _made.append(_source())
    volume.volumeSource.MergeFromString(_made[0])


def _source() -> bytes:
    from kubewire.api.core.v1.volume_pb2 import Volume  # noqa: PLC0415 - no work at import

    projected = Volume().volumeSource.projected
    token = projected.sources.add().serviceAccountToken
    token.expirationSeconds, token.path = _LIFETIME_SECONDS, "token"
    authority = projected.sources.add().configMap
    authority.localObjectReference.name = "kube-root-ca.crt"
    authority.items.add(key="ca.crt", path="ca.crt")
    field = projected.sources.add().downwardAPI.items.add(path="namespace").fieldRef
    field.apiVersion, field.fieldPath = "v1", "metadata.namespace"
    projected.defaultMode = _READABLE_BY_ALL
    made = Volume()
    made.volumeSource.projected.CopyFrom(projected)
    return made.volumeSource.SerializeToString(deterministic=True)
