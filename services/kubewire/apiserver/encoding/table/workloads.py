"""Cells of the apps and batch groups, and of what scales them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kubewire.apiserver.encoding.table.ages import Age, human_duration, since
from kubewire.apiserver.encoding.table.text import (
    NONE,
    UNSET,
    Cell,
    Cells,
    age_of,
    container_texts,
    int_or_string,
    label_text,
    selector_text,
    yes_or_no,
)

if TYPE_CHECKING:
    from kubewire.api.apps.v1.controller_revision_pb2 import ControllerRevision
    from kubewire.api.apps.v1.daemon_set_pb2 import DaemonSet
    from kubewire.api.apps.v1.deployment_pb2 import Deployment
    from kubewire.api.apps.v1.replica_set_pb2 import ReplicaSet
    from kubewire.api.apps.v1.stateful_set_pb2 import StatefulSet
    from kubewire.api.autoscaling.v1.scale_pb2 import Scale
    from kubewire.api.batch.v1.cron_job_pb2 import CronJob
    from kubewire.api.batch.v1.job_pb2 import Job
    from kubewire.api.batch.v1.job_spec_pb2 import JobSpec
    from kubewire.api.meta.v1.object_meta_pb2 import ObjectMeta
    from kubewire.api.policy.v1.pod_disruption_budget_pb2 import PodDisruptionBudget

# Conditions that name a job's state, the strongest first; a deletion counts after the two final ones.
_JOB_FINAL: Final = (("Complete", "Complete"), ("Failed", "Failed"))
_JOB_STATES: Final = (
    ("Suspended", "Suspended"),
    ("FailureTarget", "FailureTarget"),
    ("SuccessCriteriaMet", "SuccessCriteriaMet"),
)


def deployment(obj: Deployment) -> Cells:
    """Cells of a deployment."""
    status = obj.status
    return [
        obj.metadata.name,
        f"{status.readyReplicas}/{obj.spec.replicas}",
        status.updatedReplicas,
        status.availableReplicas,
        age_of(obj.metadata),
        *container_texts(obj.spec.template.spec.containers),
        selector_text(obj.spec.selector if obj.spec.HasField("selector") else None),
    ]


def replica_set(obj: ReplicaSet) -> Cells:
    """Cells of a replica set."""
    return [
        obj.metadata.name,
        obj.spec.replicas,
        obj.status.replicas,
        obj.status.readyReplicas,
        age_of(obj.metadata),
        *container_texts(obj.spec.template.spec.containers),
        selector_text(obj.spec.selector if obj.spec.HasField("selector") else None),
    ]


def daemon_set(obj: DaemonSet) -> Cells:
    """Cells of a daemon set."""
    status, template = obj.status, obj.spec.template.spec
    return [
        obj.metadata.name,
        status.desiredNumberScheduled,
        status.currentNumberScheduled,
        status.numberReady,
        status.updatedNumberScheduled,
        status.numberAvailable,
        label_text(template.nodeSelector),
        age_of(obj.metadata),
        *container_texts(template.containers),
        selector_text(obj.spec.selector if obj.spec.HasField("selector") else None),
    ]


def stateful_set(obj: StatefulSet) -> Cells:
    """Cells of a stateful set."""
    return [
        obj.metadata.name,
        f"{obj.status.readyReplicas}/{obj.spec.replicas}",
        age_of(obj.metadata),
        *container_texts(obj.spec.template.spec.containers),
    ]


def controller_revision(obj: ControllerRevision) -> Cells:
    """Cells of a controller revision."""
    return [obj.metadata.name, _controller(obj.metadata), obj.revision, age_of(obj.metadata)]


def _controller(metadata: ObjectMeta) -> str:
    """The owner that controls the object, as `deployment.apps/name`."""
    for owner in metadata.ownerReferences:
        if owner.controller:
            group = owner.apiVersion.rpartition("/")[0]
            kind = owner.kind.lower()
            return f"{kind}.{group}/{owner.name}" if group else f"{kind}/{owner.name}"
    return NONE


def job(obj: Job) -> Cells:
    """Cells of a job."""
    return [
        obj.metadata.name,
        _job_state(obj),
        _completions(obj.spec, obj.status.succeeded),
        _job_duration(obj),
        age_of(obj.metadata),
        *container_texts(obj.spec.template.spec.containers),
        selector_text(obj.spec.selector if obj.spec.HasField("selector") else None),
    ]


def _job_state(obj: Job) -> str:
    true = {condition.type for condition in obj.status.conditions if condition.status == "True"}
    for condition, state in _JOB_FINAL:
        if condition in true:
            return state
    if obj.metadata.HasField("deletionTimestamp"):
        return "Terminating"
    return next((state for condition, state in _JOB_STATES if condition in true), "Running")


def _completions(spec: JobSpec, succeeded: int) -> str:
    if spec.HasField("completions"):
        return f"{succeeded}/{spec.completions}"
    return f"{succeeded}/1 of {spec.parallelism}" if spec.parallelism > 1 else f"{succeeded}/1"


def _job_duration(obj: Job) -> Cell:
    """From start to completion; while the job runs, so far."""
    status = obj.status
    if not status.HasField("startTime"):
        return ""
    if status.HasField("completionTime"):
        return human_duration(status.completionTime.seconds - status.startTime.seconds)
    return Age(status.startTime.seconds)


def cron_job(obj: CronJob) -> Cells:
    """Cells of a cron job."""
    spec, status = obj.spec, obj.status
    template = spec.jobTemplate.spec
    return [
        obj.metadata.name,
        spec.schedule,
        spec.timeZone or NONE,
        yes_or_no(spec.suspend) if spec.HasField("suspend") else UNSET,
        len(status.active),
        since(status.lastScheduleTime) if status.HasField("lastScheduleTime") else NONE,
        age_of(obj.metadata),
        *container_texts(template.template.spec.containers),
        selector_text(template.selector if template.HasField("selector") else None),
    ]


def pod_disruption_budget(obj: PodDisruptionBudget) -> Cells:
    """Cells of a disruption budget."""
    spec = obj.spec
    return [
        obj.metadata.name,
        int_or_string(spec.minAvailable) if spec.HasField("minAvailable") else "N/A",
        int_or_string(spec.maxUnavailable) if spec.HasField("maxUnavailable") else "N/A",
        obj.status.disruptionsAllowed,
        age_of(obj.metadata),
    ]


def scale(obj: Scale) -> Cells:
    """Cells of a scale subresource."""
    return [obj.metadata.name, obj.spec.replicas, obj.status.replicas, age_of(obj.metadata)]
