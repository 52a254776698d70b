"""The containers of a pod's spec, of all three kinds, in order, with what restarting them follows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from enum import Enum
from functools import lru_cache
from typing import Final, NamedTuple

from kubewire.api.core.v1.container_pb2 import Container
from kubewire.api.core.v1.pod_pb2 import Pod

ALWAYS: Final = "Always"
ON_FAILURE: Final = "OnFailure"
NEVER: Final = "Never"


class Kind(Enum):
    """Which list of the spec a container stands in."""

    INIT = "init"
    MAIN = "main"
    EPHEMERAL = "ephemeral"


class Spec(NamedTuple):
    """One container as the pod wants it."""

    container: Container
    kind: Kind
    target: str = ""
    """Whose processes an ephemeral container sees; empty: its own alone."""

    @property
    def name(self) -> str:
        """Its name, unique in the pod."""
        return self.container.name

    @property
    def is_sidecar(self) -> bool:
        """An init container that runs on beside the main ones (KEP-753)."""
        return self.kind is Kind.INIT and self.container.restartPolicy == ALWAYS


class Specs(NamedTuple):
    """All containers of a pod."""

    init: Sequence[Spec]
    main: Sequence[Spec]
    ephemeral: Sequence[Spec]

    @property
    def all(self) -> Sequence[Spec]:
        """In the order in which they start."""
        return (*self.init, *self.main, *self.ephemeral)

    @property
    def sidecars(self) -> Sequence[Spec]:
        """Those that run beside the main ones."""
        return [spec for spec in self.init if spec.is_sidecar]

    def by_name(self) -> Mapping[str, Spec]:
        """By name."""
        return {spec.name: spec for spec in self.all}


def specs_of(pod: Pod) -> Specs:
    """The containers of a pod."""
    return Specs(
        [Spec(one, Kind.INIT) for one in pod.spec.initContainers],
        [Spec(one, Kind.MAIN) for one in pod.spec.containers],
        # The same fields under the same numbers, less what ephemeral containers may not have.
        [
            Spec(
                Container.FromString(one.ephemeralContainerCommon.SerializeToString()),
                Kind.EPHEMERAL,
                one.targetContainerName,
            )
            for one in pod.spec.ephemeralContainers
        ],
    )


@lru_cache(4096)
def hash_of(name: str, image: str) -> str:
    """What of a container may change while the pod lives; another hash means another container."""
    return hashlib.sha256(f"{name}\0{image}".encode()).hexdigest()[:8]


def restarts(pod: Pod, spec: Spec, exit_code: int) -> bool:
    """Whether a container that ended with a code is to run again, by its own rules, its own policy or the pod's."""
    if spec.kind is Kind.EPHEMERAL:
        return False
    for rule in spec.container.restartPolicyRules:
        codes = rule.exitCodes
        if (exit_code in codes.values) is (codes.operator != "NotIn"):
            return rule.action.startswith("Restart")
    policy = spec.container.restartPolicy or pod.spec.restartPolicy or ALWAYS
    if spec.kind is Kind.INIT and not spec.is_sidecar:
        return exit_code != 0 and policy != NEVER
    return policy == ALWAYS or (policy == ON_FAILURE and exit_code != 0)
