"""Ingresses and their classes: hosts, paths and backends."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kubewire.apiserver.validation.addresses import parsed_address
from kubewire.apiserver.validation.checks import (
    Problems,
    check_given,
    check_name,
    check_port,
)
from kubewire.machinery import names
from kubewire.machinery.field_errors import (
    FieldError,
    forbidden,
    immutable,
    invalid,
    not_supported,
    required,
    too_long,
)
from kubewire.machinery.field_path import ROOT, Path

if TYPE_CHECKING:
    from kubewire.api.networking.v1.ingress_class_pb2 import IngressClass
    from kubewire.api.networking.v1.ingress_pb2 import HTTPIngressPath, Ingress, IngressBackend, IngressRule

_SPEC = ROOT.child("spec")
_CLASS_ANNOTATION = "kubernetes.io/ingress.class"
_PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
_BAD_SEQUENCES = ("//", "/./", "/../", "%2f", "%2F")
_BAD_ENDINGS = ("/..", "/.")
_CONTROLLER_LIMIT = 250
_is_controller_path = re.compile(r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+").fullmatch


def validate_ingress(ingress: Ingress) -> list[FieldError]:
    """A new Ingress."""
    problems = _spec_problems(ingress)
    if ingress.spec.HasField("ingressClassName") and _CLASS_ANNOTATION in ingress.metadata.annotations:
        at = ROOT.child("annotations", _CLASS_ANNOTATION)
        value = ingress.metadata.annotations[_CLASS_ANNOTATION]
        problems.append(invalid(at, value, "can not be set when the class field is also set"))
    return problems


def validate_ingress_update(new: Ingress, _old: Ingress) -> list[FieldError]:
    """As on creation, but both ways of naming a class may stay."""
    return _spec_problems(new)


def _spec_problems(ingress: Ingress) -> list[FieldError]:
    problems: Problems = []
    spec = ingress.spec
    if not spec.rules and not spec.HasField("defaultBackend"):
        detail = "either `defaultBackend` or `rules` must be specified"
        problems.append(invalid(_SPEC, [], detail))
    if spec.HasField("defaultBackend"):
        _check_backend(spec.defaultBackend, _SPEC.child("defaultBackend"), problems)
    for position, rule in enumerate(spec.rules):
        _check_rule(rule, _SPEC.child("rules").index(position), problems)
    for position, tls in enumerate(spec.tls):
        path = _SPEC.child("tls").index(position)
        for i, host in enumerate(tls.hosts):
            _check_host_name(host, path.child("hosts").index(i), problems)
        if tls.secretName:
            check_name(names.dns1123_subdomain, tls.secretName, path.child("secretName"), problems)
    if spec.HasField("ingressClassName"):
        check_name(names.dns1123_subdomain, spec.ingressClassName, _SPEC.child("ingressClassName"), problems)
    return problems


def _check_host_name(host: str, path: Path, problems: Problems) -> None:
    check = names.wildcard_subdomain if "*" in host else names.dns1123_subdomain
    check_name(check, host, path, problems)


def _check_rule(rule: IngressRule, path: Path, problems: Problems) -> None:
    if rule.host:
        if parsed_address(rule.host) is not None:
            problems.append(invalid(path.child("host"), rule.host, "must be a DNS name, not an IP address"))
        else:
            _check_host_name(rule.host, path.child("host"), problems)
    if not rule.ingressRuleValue.HasField("http"):
        return
    http = rule.ingressRuleValue.http
    at = path.child("http", "paths")
    if not http.paths:
        problems.append(required(at))
    for position, item in enumerate(http.paths):
        _check_path(item, at.index(position), problems)


def _check_path(item: HTTPIngressPath, path: Path, problems: Problems) -> None:
    if not item.HasField("pathType"):
        problems.append(required(path.child("pathType"), "pathType must be specified"))
    elif item.pathType not in _PATH_TYPES:
        problems.append(not_supported(path.child("pathType"), item.pathType, _PATH_TYPES))
    elif item.pathType == "ImplementationSpecific":
        if item.path and not item.path.startswith("/"):
            problems.append(invalid(path.child("path"), item.path, "must be an absolute path"))
    else:
        _check_exact_path(item.path, path.child("path"), problems)
    _check_backend(item.backend, path.child("backend"), problems)


def _check_exact_path(text: str, path: Path, problems: Problems) -> None:
    if not text.startswith("/"):
        problems.append(invalid(path, text, "must be an absolute path"))
    if text:
        problems.extend(invalid(path, text, f"must not contain '{bad}'") for bad in _BAD_SEQUENCES if bad in text)
        problems.extend(invalid(path, text, f"cannot end with '{bad}'") for bad in _BAD_ENDINGS if text.endswith(bad))


def _check_backend(backend: IngressBackend, path: Path, problems: Problems) -> None:
    if backend.HasField("resource") and backend.HasField("service"):
        detail = "cannot set both resource and service backends"
        problems.append(invalid(path, "", detail))
    elif backend.HasField("resource"):
        check_given(backend.resource.kind, path.child("resource", "kind"), problems)
        check_given(backend.resource.name, path.child("resource", "name"), problems)
    elif backend.HasField("service"):
        _check_service_backend(backend, path.child("service"), problems)
    else:
        problems.append(required(path, "resource or service backend is required"))


def _check_service_backend(backend: IngressBackend, path: Path, problems: Problems) -> None:
    service = backend.service
    if service.name:
        check_name(names.dns1035_label, service.name, path.child("name"), problems)
    else:
        problems.append(required(path.child("name")))
    has_name, has_number = bool(service.port.name), service.port.number != 0
    if has_name and has_number:
        problems.append(invalid(path, "", "cannot set both port name & port number"))
    elif has_name:
        check_name(names.port_name, service.port.name, path.child("port", "name"), problems)
    elif has_number:
        check_port(service.port.number, path.child("port", "number"), problems)
    else:
        problems.append(required(path, "port name or number is required"))


def validate_ingress_class(ingress_class: IngressClass) -> list[FieldError]:
    """The controller is a path behind a domain."""
    problems: Problems = []
    controller, at = ingress_class.spec.controller, _SPEC.child("controller")
    if len(controller) > _CONTROLLER_LIMIT:
        problems.append(too_long(at, _CONTROLLER_LIMIT))
    domain, slash, rest = controller.partition("/")
    if not controller:
        problems.append(required(at))
    elif not slash or not domain or not rest or not _is_controller_path(rest):
        detail = 'must be a domain-prefixed path (such as "acme.io/foo")'
        problems.append(invalid(at, controller, detail))
    else:
        check_name(names.dns1123_subdomain, domain, at, problems)
    if ingress_class.spec.HasField("parameters"):
        _check_parameters(ingress_class, _SPEC.child("parameters"), problems)
    return problems


def _check_parameters(ingress_class: IngressClass, path: Path, problems: Problems) -> None:
    parameters = ingress_class.spec.parameters
    check_given(parameters.kind, path.child("kind"), problems)
    check_given(parameters.name, path.child("name"), problems)
    if parameters.scope not in {"Cluster", "Namespace"}:
        problems.append(not_supported(path.child("scope"), parameters.scope, ("Cluster", "Namespace")))
    elif parameters.scope == "Namespace" and not parameters.namespace:
        detail = "`parameters.scope` is set to 'Namespace'"
        problems.append(required(path.child("namespace"), detail))
    elif parameters.scope == "Cluster" and parameters.HasField("namespace"):
        detail = "`parameters.scope` is set to 'Cluster'"
        problems.append(forbidden(path.child("namespace"), detail))


def validate_ingress_class_update(new: IngressClass, old: IngressClass) -> list[FieldError]:
    """The controller does not change."""
    problems = validate_ingress_class(new)
    if new.spec.controller != old.spec.controller:
        problems.append(immutable(_SPEC.child("controller"), new.spec.controller))
    return problems
