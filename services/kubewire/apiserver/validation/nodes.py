"""Nodes: taints, pod ranges, and what of a node is given once and for all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kubewire.apiserver.validation.addresses import check_range_of_addresses, parsed_range
from kubewire.apiserver.validation.checks import Problems, check_enum, check_name
from kubewire.apiserver.validation.placement import TAINT_EFFECTS
from kubewire.apiserver.validation.resources import check_resource_list
from kubewire.machinery import names
from kubewire.machinery.field_errors import FieldError, duplicate, forbidden, invalid
from kubewire.machinery.field_path import ROOT, Path

if TYPE_CHECKING:
    from kubewire.api.core.v1.node_pb2 import Node, Taint

_SPEC = ROOT.child("spec")
_STATUS = ROOT.child("status")


def validate_node(node: Node) -> list[FieldError]:
    """A new node, which may bring its status along."""
    problems: Problems = []
    _check_taints(node.spec.taints, _SPEC.child("taints"), problems)
    check_resource_list(node.status.capacity, _STATUS.child("capacity"), problems)
    check_resource_list(node.status.allocatable, _STATUS.child("allocatable"), problems)
    _check_ranges(node.spec.podCIDRs, _SPEC.child("podCIDRs"), problems)
    return problems


def _check_taints(taints: Sequence[Taint], path: Path, problems: Problems) -> None:
    seen: set[tuple[str, str]] = set()
    for position, taint in enumerate(taints):
        at = path.index(position)
        check_name(names.qualified_name, taint.key, at.child("key"), problems)
        check_name(names.label_value, taint.value, at.child("value"), problems)
        check_enum(taint.effect, TAINT_EFFECTS, at.child("effect"), problems)
        if (taint.key, taint.effect) in seen:
            printed = {"Key": taint.key, "Value": taint.value, "Effect": taint.effect, "TimeAdded": None}
            problem = duplicate(at, printed)
            detail = "taints must be unique by key and effect pair"
            problems.append(FieldError(problem.type, problem.field, printed, detail))
        seen.add((taint.key, taint.effect))


def _check_ranges(ranges: Sequence[str], path: Path, problems: Problems) -> None:
    for position, text in enumerate(ranges):
        check_range_of_addresses(text, path.index(position), problems)
    families = [network.version for network in map(parsed_range, ranges) if network is not None]
    if len(families) > len(set(families)):
        problems.append(invalid(path, list(ranges), "may specify no more than one CIDR for each IP family"))


def validate_node_update(new: Node, old: Node) -> list[FieldError]:
    """Pod ranges and provider are given once; taints, labels and schedulability change freely."""
    problems = validate_node(new)
    if old.spec.podCIDRs and list(new.spec.podCIDRs) != list(old.spec.podCIDRs):
        detail = 'node updates may not change podCIDR except from "" to valid'
        problems.append(forbidden(_SPEC.child("podCIDRs"), detail))
    if old.spec.providerID and new.spec.providerID != old.spec.providerID:
        detail = 'node updates may not change providerID except from "" to valid'
        problems.append(forbidden(_SPEC.child("providerID"), detail))
    return problems


def validate_node_status(new: Node, _old: Node) -> list[FieldError]:
    """Amounts of resources are well-formed; addresses do not repeat."""
    problems: Problems = []
    check_resource_list(new.status.capacity, _STATUS.child("capacity"), problems)
    check_resource_list(new.status.allocatable, _STATUS.child("allocatable"), problems)
    seen: set[tuple[str, str]] = set()
    for position, address in enumerate(new.status.addresses):
        key = (address.type, address.address)
        if key in seen:
            at = _STATUS.child("addresses").index(position)
            problems.append(duplicate(at, {"type": address.type, "address": address.address}))
        seen.add(key)
    return problems
