"""Aggregated API services: a name made of version and group, and priorities within bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubewire.apiserver.validation.checks import Problems, check_name
from kubewire.machinery import names
from kubewire.machinery.field_errors import FieldError, forbidden, invalid, required
from kubewire.machinery.field_path import ROOT

if TYPE_CHECKING:
    from kubewire.api.apiregistration.v1.api_service_pb2 import APIService, APIServiceSpec

_SPEC = ROOT.child("spec")
_MAX_GROUP_PRIORITY = 20_000
_MAX_VERSION_PRIORITY = 1_000


def validate_api_service(service: APIService) -> list[FieldError]:
    """A new service."""
    problems: Problems = []
    spec = service.spec
    expected = f"{spec.version}.{spec.group}"
    if service.metadata.name != expected:
        detail = f'must be `spec.version+"."+spec.group`: "{expected}"'
        problems.append(invalid(ROOT.child("metadata", "name"), service.metadata.name, detail))
    if spec.group:
        check_name(names.dns1123_subdomain, spec.group, _SPEC.child("group"), problems)
    elif spec.version != "v1" or spec.HasField("service"):
        problems.append(required(_SPEC.child("group"), "only v1 may have an empty group and it better be legacy kube"))
    check_name(names.dns1035_label, spec.version, _SPEC.child("version"), problems)
    _check_priorities(spec, problems)
    _check_target(spec, problems)
    return problems


def _check_priorities(spec: APIServiceSpec, problems: Problems) -> None:
    for member, value, limit in (
        ("groupPriorityMinimum", spec.groupPriorityMinimum, _MAX_GROUP_PRIORITY),
        ("versionPriority", spec.versionPriority, _MAX_VERSION_PRIORITY),
    ):
        if not 0 < value <= limit:
            detail = f"must be positive and less than {limit}"
            problems.append(invalid(_SPEC.child(member), value, detail))


def _check_target(spec: APIServiceSpec, problems: Problems) -> None:
    if not spec.HasField("service"):
        if spec.caBundle:
            problems.append(
                invalid(
                    _SPEC.child("caBundle"), f"{len(spec.caBundle)} bytes", "local APIServices may not have a caBundle"
                )
            )
        if spec.insecureSkipTLSVerify:
            detail = "local APIServices may not have insecureSkipTLSVerify"
            problems.append(invalid(_SPEC.child("insecureSkipTLSVerify"), spec.insecureSkipTLSVerify, detail))
        return
    for member, text in (("namespace", spec.service.namespace), ("name", spec.service.name)):
        if not text:
            problems.append(required(_SPEC.child("service", member)))
    if spec.insecureSkipTLSVerify and spec.caBundle:
        detail = "may not be true if caBundle is present"
        problems.append(forbidden(_SPEC.child("insecureSkipTLSVerify"), detail))


def validate_api_service_update(new: APIService, _old: APIService) -> list[FieldError]:
    """As on creation."""
    return validate_api_service(new)
