"""Address families of a Service on a cluster that has IPv4 only: what is filled in, and what cannot be had."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kubewire.apiserver.strategy.services import needs_cluster_ip
from kubewire.machinery import field_errors
from kubewire.machinery.field_path import ROOT

if TYPE_CHECKING:
    from kubewire.api.core.v1.service_pb2 import ServiceSpec
    from kubewire.machinery.field_errors import FieldError

SPEC: Final = ROOT.child("spec")
HEADLESS: Final = "None"
_IPV4, _IPV6 = "IPv4", "IPv6"
_SINGLE, _REQUIRE = "SingleStack", "RequireDualStack"


def complete_families(spec: ServiceSpec) -> list[FieldError]:
    """Fill in families and their policy where the author left them out; what is wrong with those given."""
    if not needs_cluster_ip(spec):
        return []
    if spec.clusterIP == HEADLESS and not spec.selector:
        # Nobody here chooses endpoints, so they may be of any family, whatever the cluster's own addresses are.
        return _complete_foreign(spec)
    problems = _problems(spec)
    if not problems:
        if not spec.ipFamilies:
            spec.ipFamilies.append(_IPV4)
        if not spec.HasField("ipFamilyPolicy"):
            spec.ipFamilyPolicy = _SINGLE
    return problems


def _complete_foreign(spec: ServiceSpec) -> list[FieldError]:
    if not spec.HasField("ipFamilyPolicy"):
        spec.ipFamilyPolicy = _SINGLE if len(spec.ipFamilies) == 1 else _REQUIRE
    if not spec.ipFamilies:
        spec.ipFamilies.append(_IPV4)
    if len(spec.ipFamilies) == 1 and spec.ipFamilyPolicy != _SINGLE:
        spec.ipFamilies.append(_IPV6 if spec.ipFamilies[0] == _IPV4 else _IPV4)
    return []


def _problems(spec: ServiceSpec) -> list[FieldError]:
    problems = []
    if spec.ipFamilyPolicy == _REQUIRE:
        why = "this cluster is not configured for dual-stack services"
        problems.append(field_errors.invalid(SPEC.child("ipFamilyPolicy"), spec.ipFamilyPolicy, why))
    for position, family in enumerate(spec.ipFamilies):
        if family != _IPV4:
            why = "not configured on this cluster"
            problems.append(field_errors.invalid(SPEC.child("ipFamilies").index(position), family, why))
    return problems
