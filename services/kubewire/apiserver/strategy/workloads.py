"""Workloads whose generation counts more than their spec, and jobs, which choose their own selector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubewire.apiserver.strategy.base import KindStrategy
from kubewire.apiserver.strategy.equality import is_equal

if TYPE_CHECKING:
    from kubewire.api.apps.v1.daemon_set_pb2 import DaemonSet
    from kubewire.api.apps.v1.deployment_pb2 import Deployment
    from kubewire.api.batch.v1.job_pb2 import Job
    from kubewire.apiserver.strategy.contracts import WriteContext

TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"


@dataclass(frozen=True, kw_only=True)
class DeploymentStrategy(KindStrategy["Deployment"]):
    """The controller copies annotations to ReplicaSets, so a change of them counts, too."""

    counted: tuple[str, ...] = ("spec",)
    has_status: bool = True

    def is_wanted_changed(self, new: Deployment, old: Deployment) -> bool:
        """A change of the spec or of annotations."""
        return new.metadata.annotations != old.metadata.annotations or not is_equal(new.spec, old.spec)

    def reconcile_status(self, new: Deployment, old: Deployment, _ctx: WriteContext) -> None:
        """A status update keeps the labels."""
        new.metadata.ClearField("labels")
        new.metadata.labels.update(old.metadata.labels)

    def reset_fields(self, subresource: str) -> tuple[tuple[str, ...], ...]:
        """Labels, too, are nothing a status update owns."""
        own = (("metadata", "labels"),) if subresource == "status" else ()
        return super().reset_fields(subresource) + own


@dataclass(frozen=True, kw_only=True)
class DaemonSetStrategy(KindStrategy["DaemonSet"]):
    """A second counter, of the template alone, lives in an annotation."""

    counted: tuple[str, ...] = ("spec",)
    has_status: bool = True

    def initialize(self, obj: DaemonSet, _ctx: WriteContext) -> None:
        """Count from one."""
        _set_template_generation(obj, max(1, _template_generation(obj)))

    def reconcile(self, new: DaemonSet, old: DaemonSet, _ctx: WriteContext) -> None:
        """Count a changed template; the author's own count is not asked."""
        is_same = is_equal(new.spec.template, old.spec.template)
        _set_template_generation(new, _template_generation(old) + (not is_same))


def _template_generation(daemon_set: DaemonSet) -> int:
    text = daemon_set.metadata.annotations.get(TEMPLATE_GENERATION, "0")
    return int(text) if text.isdecimal() else 0


def _set_template_generation(daemon_set: DaemonSet, number: int) -> None:
    daemon_set.metadata.annotations[TEMPLATE_GENERATION] = str(number)


CONTROLLER_UID = "batch.kubernetes.io/controller-uid"
JOB_NAME = "batch.kubernetes.io/job-name"
LEGACY_CONTROLLER_UID = "controller-uid"
LEGACY_JOB_NAME = "job-name"


@dataclass(frozen=True, kw_only=True)
class JobStrategy(KindStrategy["Job"]):
    """A job's pods are found by the job's uid unless its author takes care of the selector."""

    counted: tuple[str, ...] = ("spec",)
    has_status: bool = True
    orphans_dependents_by_default: bool = True

    def initialize(self, obj: Job, _ctx: WriteContext) -> None:
        """Mark the pods to come, and select them."""
        if not obj.spec.manualSelector:
            _generate_selector(obj)


def _generate_selector(job: Job) -> None:
    labels = job.spec.template.metadata.labels
    # A job without labels of its own took the template's; upstream the two are one map from then on.
    follows_template = job.metadata.labels == labels
    generated = {
        LEGACY_JOB_NAME: job.metadata.name,
        JOB_NAME: job.metadata.name,
        LEGACY_CONTROLLER_UID: job.metadata.uid,
        CONTROLLER_UID: job.metadata.uid,
    }
    for key, value in generated.items():
        if key not in labels:
            labels[key] = value
    if follows_template:
        job.metadata.labels.update(labels)
    wanted = job.spec.selector.matchLabels
    if CONTROLLER_UID not in wanted:
        wanted[CONTROLLER_UID] = job.metadata.uid
