"""Workloads that keep pods running: replicas, history, and how a change is rolled out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubewire.apiserver.defaults.pods import default_template
from kubewire.apiserver.defaults.storage import default_claim

if TYPE_CHECKING:
    from kubewire.api.apps.v1.daemon_set_pb2 import DaemonSet
    from kubewire.api.apps.v1.deployment_pb2 import Deployment, DeploymentStrategy
    from kubewire.api.apps.v1.replica_set_pb2 import ReplicaSet
    from kubewire.api.apps.v1.stateful_set_pb2 import StatefulSet, StatefulSetSpec
    from kubewire.api.core.v1.replication_controller_pb2 import ReplicationController

_HISTORY_LIMIT = 10
_TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"
_STRING = 1
"""Value of `IntOrString.type` when the string counts; nothing is said when the number does."""


def default_deployment(deployment: Deployment) -> None:
    """Fill a Deployment."""
    spec = deployment.spec
    if not spec.HasField("replicas"):
        spec.replicas = 1
    _default_deployment_strategy(spec.strategy)
    if not spec.HasField("revisionHistoryLimit"):
        spec.revisionHistoryLimit = _HISTORY_LIMIT
    if not spec.HasField("progressDeadlineSeconds"):
        spec.progressDeadlineSeconds = 600
    default_template(spec.template)


def _default_deployment_strategy(strategy: DeploymentStrategy) -> None:
    if not strategy.type:
        strategy.type = "RollingUpdate"
    if strategy.type != "RollingUpdate":
        return
    rolling = strategy.rollingUpdate
    if not rolling.HasField("maxUnavailable"):
        rolling.maxUnavailable.type, rolling.maxUnavailable.strVal = _STRING, "25%"
    if not rolling.HasField("maxSurge"):
        rolling.maxSurge.type, rolling.maxSurge.strVal = _STRING, "25%"


def default_replica_set(replica_set: ReplicaSet) -> None:
    """Fill a ReplicaSet."""
    if not replica_set.spec.HasField("replicas"):
        replica_set.spec.replicas = 1
    default_template(replica_set.spec.template)


def default_daemon_set(daemon_set: DaemonSet) -> None:
    """Fill a DaemonSet, and the annotation that counts changes of its template."""
    spec = daemon_set.spec
    if _TEMPLATE_GENERATION not in daemon_set.metadata.annotations:
        daemon_set.metadata.annotations[_TEMPLATE_GENERATION] = "0"
    strategy = spec.updateStrategy
    if not strategy.type:
        strategy.type = "RollingUpdate"
    if strategy.type == "RollingUpdate":
        rolling = strategy.rollingUpdate
        if not rolling.HasField("maxUnavailable"):
            rolling.maxUnavailable.intVal = 1
        if not rolling.HasField("maxSurge"):
            rolling.maxSurge.SetInParent()
    if not spec.HasField("revisionHistoryLimit"):
        spec.revisionHistoryLimit = _HISTORY_LIMIT
    default_template(spec.template)


def default_stateful_set(stateful_set: StatefulSet) -> None:
    """Fill a StatefulSet and its claim templates."""
    spec = stateful_set.spec
    if not spec.podManagementPolicy:
        spec.podManagementPolicy = "OrderedReady"
    _default_stateful_strategy(spec)
    retention = spec.persistentVolumeClaimRetentionPolicy
    if not retention.whenDeleted:
        retention.whenDeleted = "Retain"
    if not retention.whenScaled:
        retention.whenScaled = "Retain"
    if not spec.HasField("replicas"):
        spec.replicas = 1
    if not spec.HasField("revisionHistoryLimit"):
        spec.revisionHistoryLimit = _HISTORY_LIMIT
    default_template(spec.template)
    for claim in spec.volumeClaimTemplates:
        default_claim(claim)


def _default_stateful_strategy(spec: StatefulSetSpec) -> None:
    strategy = spec.updateStrategy
    if not strategy.type:
        strategy.type = "RollingUpdate"
        strategy.rollingUpdate.SetInParent()
    is_rolling = strategy.type == "RollingUpdate" and strategy.HasField("rollingUpdate")
    if is_rolling and not strategy.rollingUpdate.HasField("partition"):
        strategy.rollingUpdate.partition = 0


def default_replication_controller(controller: ReplicationController) -> None:
    """Fill a ReplicationController; its selector and labels follow the template's labels."""
    spec = controller.spec
    labels = spec.template.metadata.labels
    if labels:
        if not spec.selector:
            spec.selector.update(labels)
        if not controller.metadata.labels:
            controller.metadata.labels.update(labels)
    if not spec.HasField("replicas"):
        spec.replicas = 1
    if spec.HasField("template"):
        default_template(spec.template)
