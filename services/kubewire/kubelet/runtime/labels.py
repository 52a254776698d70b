"""Labels and annotations that tie what runs to its pod: all that a kubelet knows of it after its own restart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kubewire.kubelet.runtime.contracts import PodIdentity

POD_NAME: Final = "io.kubernetes.pod.name"
POD_NAMESPACE: Final = "io.kubernetes.pod.namespace"
POD_UID: Final = "io.kubernetes.pod.uid"
CONTAINER_NAME: Final = "io.kubernetes.container.name"

HASH: Final = "io.kubernetes.container.hash"
RESTARTS: Final = "io.kubernetes.container.restartCount"
MESSAGE_PATH: Final = "io.kubernetes.container.terminationMessagePath"
MESSAGE_POLICY: Final = "io.kubernetes.container.terminationMessagePolicy"
PRE_STOP: Final = "io.kubernetes.container.preStopHandler"
PORTS: Final = "io.kubernetes.container.ports"
POD_GRACE: Final = "io.kubernetes.pod.terminationGracePeriod"

MESSAGE_FILE: Final = "kubewire.io/termination-message-file"
"""Where the message lies on the node."""
LOG_FILE: Final = "kubewire.io/log-file"
"""Where the log lies on the node."""
STREAMS: Final = "kubewire.io/streams"
"""Which of stdin, stdin-once and tty it was made with, separated by commas."""


def identity_of(labels: Mapping[str, str]) -> PodIdentity:
    """Which pod something belongs to; the uid is empty for what no kubelet made."""
    return PodIdentity(labels.get(POD_UID, ""), labels.get(POD_NAMESPACE, ""), labels.get(POD_NAME, ""))


def pod_labels(identity: PodIdentity) -> dict[str, str]:
    """The labels of everything of a pod."""
    return {POD_NAME: identity.name, POD_NAMESPACE: identity.namespace, POD_UID: identity.uid}
