"""Jobs and what makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubewire.apiserver.defaults.pods import default_template

if TYPE_CHECKING:
    from kubewire.api.batch.v1.cron_job_pb2 import CronJob
    from kubewire.api.batch.v1.job_pb2 import Job
    from kubewire.api.batch.v1.job_spec_pb2 import JobSpec

_MAX_INT32 = 2**31 - 1


def default_job(job: Job) -> None:
    """Fill a Job; its labels follow the template's."""
    spec = job.spec
    if not job.metadata.labels and spec.template.metadata.labels:
        job.metadata.labels.update(spec.template.metadata.labels)
    _default_counts(spec)
    if not spec.HasField("completionMode"):
        spec.completionMode = "NonIndexed"
    if not spec.HasField("suspend"):
        spec.suspend = False
    if not spec.HasField("podReplacementPolicy"):
        spec.podReplacementPolicy = "Failed" if spec.HasField("podFailurePolicy") else "TerminatingOrFailed"
    if not spec.HasField("manualSelector"):
        spec.manualSelector = False
    _default_job_parts(spec)


def _default_counts(spec: JobSpec) -> None:
    if not spec.HasField("parallelism"):
        if not spec.HasField("completions"):
            spec.completions = 1
        spec.parallelism = 1
    if not spec.HasField("backoffLimit"):
        spec.backoffLimit = _MAX_INT32 if spec.HasField("backoffLimitPerIndex") else 6


def _default_job_parts(spec: JobSpec) -> None:
    default_template(spec.template)
    for rule in spec.podFailurePolicy.rules:
        for pattern in rule.onPodConditions:
            if not pattern.status:
                pattern.status = "True"


def default_cron_job(cron_job: CronJob) -> None:
    """Fill a CronJob; its jobs take their own defaults when they are created."""
    spec = cron_job.spec
    if not spec.concurrencyPolicy:
        spec.concurrencyPolicy = "Allow"
    if not spec.HasField("suspend"):
        spec.suspend = False
    if not spec.HasField("successfulJobsHistoryLimit"):
        spec.successfulJobsHistoryLimit = 3
    if not spec.HasField("failedJobsHistoryLimit"):
        spec.failedJobsHistoryLimit = 1
    _default_job_parts(spec.jobTemplate.spec)
