"""Environment variables and the fields, resources and keys they take their values from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from kubewire.apiserver.validation.checks import (
    Problems,
    check_given,
    check_name,
    check_required_name,
    problems_of,
)
from kubewire.machinery import names
from kubewire.machinery.field_errors import invalid, not_supported, required
from kubewire.machinery.field_path import Path
from kubewire.machinery.quantity import QuantityError, parse

if TYPE_CHECKING:
    from kubewire.api.core.v1.env_pb2 import (
        ConfigMapKeySelector,
        EnvFromSource,
        EnvVar,
        EnvVarSource,
        FileKeySelector,
        SecretKeySelector,
    )
    from kubewire.api.core.v1.field_selector_pb2 import ObjectFieldSelector, ResourceFieldSelector

KeySelector: TypeAlias = "ConfigMapKeySelector | SecretKeySelector"

ENV_FIELDS = (
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
)
FILE_FIELDS = ("metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid")
_POD_FIELDS = frozenset(
    {*ENV_FIELDS, *FILE_FIELDS, "spec.host", "spec.restartPolicy", "spec.schedulerName", "status.phase"}
)
_KEYED_FIELDS: Mapping[str, Callable[[str], str]] = {"metadata.annotations": str.lower, "metadata.labels": str}

_RESOURCES = (
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
)
_HUGE_PAGES = ("limits.hugepages-", "requests.hugepages-")
_CPU_DIVISORS = ("1m", "1")
_SIZE_DIVISORS = ("1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei")

_ONE_SOURCE = "may not have more than one field specified at a time"


def check_env(variables: Sequence[EnvVar], path: Path, problems: Problems) -> None:
    """Names are printable; values are given or come from one source."""
    for position, variable in enumerate(variables):
        if not variable.name:
            problems.append(required(path.index(position).child("name")))
        elif problems_of(names.env_var_name, variable.name):
            check_name(names.env_var_name, variable.name, path.index(position).child("name"), problems)
        if variable.HasField("valueFrom"):
            _check_source(variable, path.index(position).child("valueFrom"), problems)


def _check_source(variable: EnvVar, path: Path, problems: Problems) -> None:
    source = variable.valueFrom
    sources = len(source.ListFields())
    _check_source_members(source, path, problems)
    if sources == 0:
        detail = (
            "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
        )
        problems.append(invalid(path, "", detail))
    elif variable.value:
        problems.append(invalid(path, "", "may not be specified when `value` is not empty"))
    elif sources > 1:
        problems.append(invalid(path, "", _ONE_SOURCE))


def _check_source_members(source: EnvVarSource, path: Path, problems: Problems) -> None:
    if source.HasField("fieldRef"):
        check_field_selector(source.fieldRef, ENV_FIELDS, path.child("fieldRef"), problems)
    if source.HasField("resourceFieldRef"):
        check_resource_selector(source.resourceFieldRef, path.child("resourceFieldRef"), problems)
    if source.HasField("configMapKeyRef"):
        _check_key(source.configMapKeyRef, path.child("configMapKeyRef"), problems)
    if source.HasField("secretKeyRef"):
        _check_key(source.secretKeyRef, path.child("secretKeyRef"), problems)
    if source.HasField("fileKeyRef"):
        _check_file_key(source.fileKeyRef, path.child("fileKeyRef"), problems)


def check_field_selector(
    selector: ObjectFieldSelector, supported: Collection[str], path: Path, problems: Problems
) -> None:
    """A field of the pod, or one entry of its labels or annotations."""
    if not selector.apiVersion:
        problems.append(required(path.child("apiVersion")))
        return
    if not selector.fieldPath:
        problems.append(required(path.child("fieldPath")))
        return
    name, key = _split_subscript(selector.fieldPath)
    if selector.apiVersion != "v1" or name not in _POD_FIELDS:
        why = f"field label not supported: {selector.fieldPath}"
        if selector.apiVersion != "v1":
            why = f"unsupported pod version: {selector.apiVersion}"
        problems.append(invalid(path.child("fieldPath"), selector.fieldPath, f"error converting fieldPath: {why}"))
    elif key is None:
        if name not in supported and not (name == "spec.host" and "spec.nodeName" in supported):
            problems.append(not_supported(path.child("fieldPath"), name, supported))
    elif name in _KEYED_FIELDS:
        check_name(names.qualified_name, _KEYED_FIELDS[name](key), path, problems)
    else:
        problems.append(invalid(path, name, "does not support subscript"))


def _split_subscript(text: str) -> tuple[str, str | None]:
    """`metadata.labels['app']` -> its field and its key."""
    if text.endswith("']") and "['" in text:
        name, _, key = text[:-2].partition("['")
        return name, key
    return text, None


def check_resource_selector(
    selector: ResourceFieldSelector, path: Path, problems: Problems, *, needs_container: bool = False
) -> None:
    """A limit or request of a container, divided by a unit."""
    if needs_container and not selector.containerName:
        problems.append(required(path.child("containerName")))
    elif not selector.resource:
        problems.append(required(path.child("resource")))
    elif selector.resource not in _RESOURCES and not selector.resource.startswith(_HUGE_PAGES):
        problems.append(not_supported(path.child("resource"), selector.resource, _RESOURCES))
    if selector.divisor.string:
        _check_divisor(selector, path.child("divisor"), problems)


def _check_divisor(selector: ResourceFieldSelector, path: Path, problems: Problems) -> None:
    name = selector.resource.partition(".")[2]
    divisors = _CPU_DIVISORS if name == "cpu" else _SIZE_DIVISORS
    try:
        divisor = parse(selector.divisor.string)
    except QuantityError as error:
        problems.append(invalid(path, selector.divisor.string, str(error)))
        return
    if divisor and str(divisor) not in divisors:
        listed = " and ".join(divisors) if name == "cpu" else ", ".join(divisors)
        detail = f"only divisor's values {listed} are supported with the {name} resource"
        problems.append(invalid(path, selector.resource, detail))


def _check_key(selector: KeySelector, path: Path, problems: Problems) -> None:
    check_given(selector.localObjectReference.name, path.child("name"), problems)
    check_required_name(names.config_map_key, selector.key, path.child("key"), problems)


def _check_file_key(selector: FileKeySelector, path: Path, problems: Problems) -> None:
    check_required_name(names.env_var_name, selector.key, path.child("key"), problems)
    check_required_name(names.dns1123_label, selector.volumeName, path.child("volumeName"), problems)
    check_given(selector.path, path.child("path"), problems)


def check_env_from(sources: Sequence[EnvFromSource], path: Path, problems: Problems) -> None:
    """Every entry names one config map or secret."""
    for position, source in enumerate(sources):
        at = path.index(position)
        if source.prefix:
            check_name(names.env_var_name, source.prefix, at.child("prefix"), problems)
        if source.HasField("configMapRef"):
            name = source.configMapRef.localObjectReference.name
            check_given(name, at.child("configMapRef", "name"), problems)
        if source.HasField("secretRef"):
            name = source.secretRef.localObjectReference.name
            check_given(name, at.child("secretRef", "name"), problems)
        if source.HasField("configMapRef") == source.HasField("secretRef"):
            is_empty = not source.HasField("secretRef")
            detail = "must specify one of: `configMapRef` or `secretRef`" if is_empty else _ONE_SOURCE
            problems.append(invalid(path, "", detail))
