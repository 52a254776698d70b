"""Pod templates of workloads: they carry the labels the workload selects, and a restart policy it can use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from kubewire.apiserver.validation.checks import (
    Problems,
    check_selector,
    is_empty_selector,
    printed_map,
    printed_selector,
)
from kubewire.apiserver.validation.metadata import validate_annotations, validate_labels
from kubewire.apiserver.validation.pod_spec import check_pod_spec
from kubewire.machinery.field_errors import FieldError, forbidden, invalid, not_supported, required
from kubewire.machinery.field_path import ROOT, Path

if TYPE_CHECKING:
    from kubewire.api.core.v1.pod_spec_pb2 import PodTemplateSpec
    from kubewire.api.core.v1.pod_template_pb2 import PodTemplate
    from kubewire.api.meta.v1.selector_pb2 import LabelSelector, LabelSelectorRequirement

NO_MATCH = "`selector` does not match template `labels`"


def validate_pod_template(template: PodTemplate) -> list[FieldError]:
    """The kind PodTemplate."""
    problems: Problems = []
    check_template(template.template, ROOT.child("template"), problems)
    return problems


def validate_pod_template_update(new: PodTemplate, _old: PodTemplate) -> list[FieldError]:
    """As on creation."""
    return validate_pod_template(new)


def check_template(template: PodTemplateSpec, path: Path, problems: Problems) -> None:
    """Labels, annotations and the spec."""
    meta = template.metadata
    if meta.labels:
        problems += validate_labels(meta.labels, path.child("labels"))
    if meta.annotations:
        problems += validate_annotations(meta.annotations, path.child("annotations"))
    check_pod_spec(template.spec, path.child("spec"), problems)
    if template.spec.ephemeralContainers:
        at = path.child("spec", "ephemeralContainers")
        problems.append(forbidden(at, "ephemeral containers not allowed in pod template"))


def check_workload_selector(selector: LabelSelector | None, kind: str, path: Path, problems: Problems) -> bool:
    """A selector that is there, selects something in particular, and is well-formed; False if it is not."""
    if selector is None:
        problems.append(required(path))
        return False
    before = len(problems)
    check_selector(selector, path, problems)
    if is_empty_selector(selector):
        problems.append(invalid(path, printed_selector(selector), f"empty selector is invalid for {kind}"))
    return len(problems) == before


def check_selected(selector: LabelSelector, template: PodTemplateSpec, path: Path, problems: Problems) -> None:
    """The template's pods are the workload's."""
    labels = template.metadata.labels
    if not matches(selector, labels):
        problems.append(invalid(path.child("metadata", "labels"), printed_map(labels), NO_MATCH))


def check_kept_running(template: PodTemplateSpec, kind: str, path: Path, problems: Problems) -> None:
    """Pods of workloads that keep them running do not end on their own."""
    spec = template.spec
    if spec.restartPolicy != "Always":
        problems.append(not_supported(path.child("spec", "restartPolicy"), spec.restartPolicy, ("Always",)))
    if spec.HasField("activeDeadlineSeconds"):
        detail = f"activeDeadlineSeconds in {kind} is not Supported"
        problems.append(forbidden(path.child("spec", "activeDeadlineSeconds"), detail))


def matches(selector: LabelSelector, labels: Mapping[str, str]) -> bool:
    """Whether a well-formed selector selects these labels."""
    wanted = selector.matchLabels
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        _matches(item, labels) for item in selector.matchExpressions
    )


def _matches(item: LabelSelectorRequirement, labels: Mapping[str, str]) -> bool:
    if item.operator == "In":
        return labels.get(item.key) in item.values
    if item.operator == "NotIn":
        return labels.get(item.key) not in item.values
    return (item.key in labels) == (item.operator == "Exists")
