"""Jobs and CronJobs: pods that end, how often they are tried, and what may change once they run."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from kubewire.apiserver.validation.checks import (
    Problems,
    check_counts,
    check_enum,
    check_name,
    check_selector,
    clear_fields,
    printed_map,
    printed_selector,
)
from kubewire.apiserver.validation.cron import has_time_zone, schedule_problem
from kubewire.apiserver.validation.metadata import validate_annotations, validate_labels
from kubewire.apiserver.validation.templates import NO_MATCH, check_template, matches
from kubewire.machinery import names
from kubewire.machinery.field_errors import (
    FieldError,
    immutable,
    invalid,
    not_supported,
    required,
    too_many,
)
from kubewire.machinery.field_path import ROOT, Path

if TYPE_CHECKING:
    from kubewire.api.batch.v1.cron_job_pb2 import CronJob
    from kubewire.api.batch.v1.job_pb2 import Job
    from kubewire.api.batch.v1.job_spec_pb2 import JobSpec, PodFailurePolicyRule
    from kubewire.api.core.v1.pod_spec_pb2 import PodTemplateSpec

_SPEC = ROOT.child("spec")
_STATUS = ROOT.child("status")
_CONTROLLER_UID = "batch.kubernetes.io/controller-uid"
_COMPLETION_MODES = ("Indexed", "NonIndexed")
_REPLACEMENTS = ("Failed", "TerminatingOrFailed")
_RESTARTS = ("OnFailure", "Never")
_ACTIONS = ("Count", "FailIndex", "FailJob", "Ignore")
_MAX_PARALLEL_INDEXES = 100_000
_MAX_RULES = 20
_CRON_NAME_LIMIT = 52
"""A job's name adds eleven characters to its CronJob's, and has to fit into a label."""

_COUNTS = ("parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished")


def validate_job(job: Job) -> list[FieldError]:
    """A new Job; a generated selector has been filled in."""
    problems: Problems = []
    spec = job.spec
    _check_generated_selector(job, problems)
    if not spec.HasField("selector"):
        problems.append(required(_SPEC.child("selector")))
    else:
        check_selector(spec.selector, _SPEC.child("selector"), problems)
        labels = spec.template.metadata.labels
        if not matches(spec.selector, labels):
            at = _SPEC.child("template", "metadata", "labels")
            problems.append(invalid(at, printed_map(labels), NO_MATCH))
    check_job_spec(spec, _SPEC, problems)
    return problems


def _check_generated_selector(job: Job, problems: Problems) -> None:
    """A selector nobody wrote selects by the job's own uid."""
    if job.spec.manualSelector:
        return
    if not job.spec.HasField("selector"):
        problems.append(required(_SPEC.child("selector")))
        return
    labels = job.spec.template.metadata.labels
    if labels.get(_CONTROLLER_UID) != job.metadata.uid:
        at = _SPEC.child("template", "metadata", "labels")
        detail = f"must be '{job.metadata.uid}'"
        problems.append(invalid(at, printed_map(labels), detail))
    if dict(job.spec.selector.matchLabels) != {_CONTROLLER_UID: job.metadata.uid}:
        detail = "`selector` not auto-generated"
        problems.append(invalid(_SPEC.child("selector"), printed_selector(job.spec.selector), detail))


def check_job_spec(spec: JobSpec, path: Path, problems: Problems) -> None:
    """What jobs and templates of jobs have in common."""
    check_counts(spec, _COUNTS, path, problems)
    check_counts(spec, ("backoffLimitPerIndex", "maxFailedIndexes"), path, problems)
    if spec.HasField("completionMode"):
        _check_completion_mode(spec, path, problems)
    if spec.HasField("podReplacementPolicy"):
        allowed = ("Failed",) if spec.HasField("podFailurePolicy") else _REPLACEMENTS
        if spec.podReplacementPolicy not in allowed:
            at = path.child("podReplacementPolicy")
            problems.append(not_supported(at, spec.podReplacementPolicy, allowed))
    if spec.HasField("podFailurePolicy"):
        _check_failure_policy(spec, path.child("podFailurePolicy"), problems)
    if spec.HasField("managedBy"):
        check_name(names.qualified_name, spec.managedBy, path.child("managedBy"), problems)
    check_template(spec.template, path.child("template"), problems)
    _check_restarts(spec, path.child("template", "spec", "restartPolicy"), problems)


def _check_completion_mode(spec: JobSpec, path: Path, problems: Problems) -> None:
    if spec.completionMode not in _COMPLETION_MODES:
        at = path.child("completionMode")
        problems.append(not_supported(at, spec.completionMode, _COMPLETION_MODES))
    elif spec.completionMode == "Indexed":
        if not spec.HasField("completions"):
            problems.append(required(path.child("completions"), "when completion mode is Indexed"))
        if spec.parallelism > _MAX_PARALLEL_INDEXES:
            detail = f"must be less than or equal to {_MAX_PARALLEL_INDEXES} when completion mode is Indexed"
            problems.append(invalid(path.child("parallelism"), spec.parallelism, detail))
    elif spec.HasField("backoffLimitPerIndex"):
        detail = "requires indexed completion mode"
        problems.append(invalid(path.child("backoffLimitPerIndex"), spec.backoffLimitPerIndex, detail))


def _check_restarts(spec: JobSpec, path: Path, problems: Problems) -> None:
    policy = spec.template.spec.restartPolicy
    if policy in {"", "Always"}:
        problems.append(required(path, 'valid values: "OnFailure", "Never"'))
    elif policy not in _RESTARTS:
        problems.append(not_supported(path, policy, _RESTARTS))
    elif spec.HasField("podFailurePolicy") and policy != "Never":
        detail = 'only "Never" is supported when podFailurePolicy is specified'
        problems.append(invalid(path, policy, detail))


def _check_failure_policy(spec: JobSpec, path: Path, problems: Problems) -> None:
    rules = spec.podFailurePolicy.rules
    if len(rules) > _MAX_RULES:
        problems.append(too_many(path.child("rules"), len(rules), _MAX_RULES))
    for position, rule in enumerate(rules):
        _check_failure_rule(rule, path.child("rules").index(position), problems)


def _check_failure_rule(rule: PodFailurePolicyRule, path: Path, problems: Problems) -> None:
    check_enum(rule.action, _ACTIONS, path.child("action"), problems)
    if rule.HasField("onExitCodes"):
        at = path.child("onExitCodes")
        check_enum(rule.onExitCodes.operator, ("In", "NotIn"), at.child("operator"), problems)
        if not rule.onExitCodes.values:
            problems.append(invalid(at.child("values"), [], "at least one value is required"))
        if rule.onPodConditions:
            detail = "specifying both OnExitCodes and OnPodConditions is not supported"
            problems.append(invalid(path, "", detail))
    elif not rule.onPodConditions:
        detail = "specifying one of OnExitCodes and OnPodConditions is required"
        problems.append(invalid(path, "", detail))
    for position, pattern in enumerate(rule.onPodConditions):
        at = path.child("onPodConditions").index(position)
        check_name(names.qualified_name, pattern.type, at.child("type"), problems)
        check_enum(pattern.status, ("False", "True", "Unknown"), at.child("status"), problems)


_FIXED = ("completionMode", "backoffLimitPerIndex", "managedBy")


def validate_job_update(new: Job, old: Job) -> list[FieldError]:
    """What a job is for is fixed once it is there; a suspended one may still be told where to run."""
    problems: Problems = []
    spec, before = new.spec, old.spec
    check_job_spec(spec, _SPEC, problems)
    if not _is_completions_change_allowed(spec, before):
        problems.append(
            immutable(_SPEC.child("completions"), spec.completions if spec.HasField("completions") else None)
        )
    if spec.selector != before.selector:
        problems.append(immutable(_SPEC.child("selector"), printed_selector(spec.selector)))
    if _fixed_template(spec.template, old) != _fixed_template(before.template, old):
        problems.append(
            immutable(_SPEC.child("template"), {"metadata": {"labels": printed_map(spec.template.metadata.labels)}})
        )
    problems.extend(
        immutable(_SPEC.child(name), getattr(spec, name))
        for name in _FIXED
        if getattr(spec, name) != getattr(before, name)
    )
    has_policy = spec.HasField("podFailurePolicy")
    if has_policy != before.HasField("podFailurePolicy") or spec.podFailurePolicy != before.podFailurePolicy:
        problems.append(immutable(_SPEC.child("podFailurePolicy"), ""))
    return problems


def _is_completions_change_allowed(spec: JobSpec, before: JobSpec) -> bool:
    """Indexed jobs may grow and shrink as long as parallelism goes along (KEP-3715)."""
    if spec.HasField("completions") == before.HasField("completions") and spec.completions == before.completions:
        return True
    is_elastic = spec.completionMode == "Indexed" and spec.HasField("completions")
    return is_elastic and spec.completions == spec.parallelism and before.completions == before.parallelism


def _fixed_template(template: PodTemplateSpec, old: Job) -> PodTemplateSpec:
    """The template without what a job that has not started may change."""
    rest = type(template)()
    rest.CopyFrom(template)
    if old.spec.suspend and not old.status.HasField("startTime"):
        clear_fields(rest.metadata, ("labels", "annotations"))
        clear_fields(rest.spec, ("nodeSelector", "tolerations", "schedulingGates"))
        rest.spec.affinity.ClearField("nodeAffinity")
        if not rest.spec.affinity.ListFields():
            rest.spec.ClearField("affinity")
    return rest


def validate_job_status(new: Job, _old: Job) -> list[FieldError]:
    """Counts are not negative."""
    problems: Problems = []
    check_counts(new.status, ("active", "succeeded", "failed", "ready", "terminating"), _STATUS, problems)
    return problems


def validate_cron_job(cron_job: CronJob) -> list[FieldError]:
    """A new CronJob."""
    problems: Problems = []
    if len(cron_job.metadata.name) > _CRON_NAME_LIMIT:
        at = ROOT.child("metadata", "name")
        detail = f"must be no more than {_CRON_NAME_LIMIT} characters"
        problems.append(invalid(at, cron_job.metadata.name, detail))
    _check_schedule(cron_job, problems)
    spec = cron_job.spec
    check_counts(spec, ("startingDeadlineSeconds",), _SPEC, problems)
    check_enum(spec.concurrencyPolicy, ("Allow", "Forbid", "Replace"), _SPEC.child("concurrencyPolicy"), problems)
    check_counts(spec, ("successfulJobsHistoryLimit", "failedJobsHistoryLimit"), _SPEC, problems)
    path = _SPEC.child("jobTemplate")
    problems += validate_labels(spec.jobTemplate.metadata.labels, path.child("labels"))
    problems += validate_annotations(spec.jobTemplate.metadata.annotations, path.child("annotations"))
    check_job_spec(spec.jobTemplate.spec, path.child("spec"), problems)
    return problems


def _check_schedule(cron_job: CronJob, problems: Problems) -> None:
    schedule, at = cron_job.spec.schedule, _SPEC.child("schedule")
    if not schedule:
        problems.append(required(at))
    elif has_time_zone(schedule):
        detail = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
        problems.append(invalid(at, schedule, detail))
    else:
        wrong = schedule_problem(schedule)
        if wrong:
            problems.append(invalid(at, schedule, wrong))
    if cron_job.spec.HasField("timeZone"):
        _check_time_zone(cron_job.spec.timeZone, _SPEC.child("timeZone"), problems)


def _check_time_zone(zone: str, path: Path, problems: Problems) -> None:
    if not zone:
        problems.append(invalid(path, zone, "timeZone must be nil or non-empty string"))
    elif zone.lower() == "local":
        detail = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
        problems.append(invalid(path, zone, detail))
    else:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            problems.append(invalid(path, zone, f"unknown time zone {zone}"))


def validate_cron_job_update(new: CronJob, old: CronJob) -> list[FieldError]:
    """As on creation, but a long name that is there may stay."""
    problems = validate_cron_job(new)
    if len(old.metadata.name) > _CRON_NAME_LIMIT:
        problems = [problem for problem in problems if problem.field != "metadata.name"]
    return problems
