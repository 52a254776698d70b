"""A pod's name resolution, and what fits its operating system."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kubewire.apiserver.validation.addresses import check_address
from kubewire.apiserver.validation.checks import Problems, check_enum, check_name
from kubewire.machinery import names
from kubewire.machinery.field_errors import forbidden, invalid, required
from kubewire.machinery.field_path import Path

if TYPE_CHECKING:
    from kubewire.api.core.v1.pod_spec_pb2 import HostAlias, PodDNSConfig, PodSpec

_MAX_NAMESERVERS = 3
_MAX_SEARCHES = 32
_MAX_SEARCH_LENGTH = 2048
_SYSTEMS = ("linux", "windows")
_LINUX_ONLY = ("hostPID", "hostIPC", "hostNetwork", "shareProcessNamespace")


def check_dns(spec: PodSpec, path: Path, problems: Problems) -> None:
    """Servers and search paths; without a policy of the cluster there has to be a server."""
    config = spec.dnsConfig
    if spec.dnsPolicy == "None":
        if not spec.HasField("dnsConfig"):
            problems.append(required(path, "must provide `dnsConfig` when `dnsPolicy` is None"))
            return
        if not config.nameservers:
            detail = "must provide at least one DNS nameserver when `dnsPolicy` is None"
            problems.append(required(path.child("nameservers"), detail))
    if len(config.nameservers) > _MAX_NAMESERVERS:
        detail = f"must not have more than {_MAX_NAMESERVERS} nameservers"
        problems.append(invalid(path.child("nameservers"), list(config.nameservers), detail))
    for position, server in enumerate(config.nameservers):
        check_address(server, path.child("nameservers").index(position), problems)
    _check_searches(config, path.child("searches"), problems)
    for position, option in enumerate(config.options):
        if not option.name:
            problems.append(required(path.child("options").index(position), "must not be empty"))


def _check_searches(config: PodDNSConfig, path: Path, problems: Problems) -> None:
    if len(config.searches) > _MAX_SEARCHES:
        detail = f"must not have more than {_MAX_SEARCHES} search paths"
        problems.append(invalid(path, list(config.searches), detail))
    if len(" ".join(config.searches)) > _MAX_SEARCH_LENGTH:
        detail = f"must not have more than {_MAX_SEARCH_LENGTH} characters (including spaces) in the search list"
        problems.append(invalid(path, list(config.searches), detail))
    for position, search in enumerate(config.searches):
        if search != ".":
            text = search.removesuffix(".").replace("_", "-")
            check_name(names.dns1123_subdomain, text, path.index(position), problems)


def check_host_aliases(aliases: Sequence[HostAlias], path: Path, problems: Problems) -> None:
    """Lines of the hosts file."""
    for position, alias in enumerate(aliases):
        check_address(alias.ip, path.index(position).child("ip"), problems)
        for hostname in alias.hostnames:
            check_name(names.dns1123_subdomain, hostname, path.child("hostnames"), problems)


def check_os(spec: PodSpec, path: Path, problems: Problems) -> None:
    """Windows pods share no namespaces of the host."""
    check_enum(spec.os.name, _SYSTEMS, path.child("os", "name"), problems)
    if spec.os.name != "windows":
        return
    for member in _LINUX_ONLY:
        if getattr(spec, member):
            detail = "cannot be set for a windows pod"
            problems.append(forbidden(path.child(member), detail))
