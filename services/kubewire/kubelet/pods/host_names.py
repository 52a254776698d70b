"""A pod's host name and its /etc/hosts. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from kubewire.api.core.v1.pod_pb2 import Pod

_NAME_AT_MOST: Final = 63
_LOCAL: Final = (
    ("127.0.0.1", "localhost"),
    ("::1", "localhost ip6-localhost ip6-loopback"),
    ("fe00::0", "ip6-localnet"),
    ("fe00::0", "ip6-mcastprefix"),
    ("fe00::1", "ip6-allnodes"),
    ("fe00::2", "ip6-allrouters"),
)


def host_name(pod: Pod, domain: str, node_name: str) -> str:
    """What `hostname` says in the pod's containers."""
    spec = pod.spec
    if spec.hostnameOverride:
        return spec.hostnameOverride
    if spec.hostNetwork:
        return node_name
    short = (spec.hostname or pod.metadata.name)[:_NAME_AT_MOST].rstrip("-.")
    return _qualified(pod, short, domain) if spec.setHostnameAsFQDN and spec.subdomain else short


def hosts_file(pod: Pod, domain: str, ips: Sequence[str]) -> str:
    """The pod's /etc/hosts: itself, and its hostAliases."""
    lines = ["# Managed by the kubelet: the next container sees another one.", *("\t".join(line) for line in _LOCAL)]
    short = host_name(pod, domain, "")
    names = f"{_qualified(pod, short, domain)}\t{short}" if pod.spec.subdomain else short
    lines += [f"{ip}\t{names}" for ip in ips]
    return "\n".join((*lines, *_aliases(pod))) + "\n"


def node_hosts_file(pod: Pod, node_hosts: str) -> str:
    """The /etc/hosts of a pod on the node's network: the node's, and its hostAliases."""
    lines = ["# Managed by the kubelet: the node's, as it was when the container was made.", node_hosts.rstrip("\n")]
    return "\n".join((*lines, *_aliases(pod))) + "\n"


def _aliases(pod: Pod) -> list[str]:
    return [f"{alias.ip}\t{' '.join(alias.hostnames)}" for alias in pod.spec.hostAliases]


def _qualified(pod: Pod, short: str, domain: str) -> str:
    return f"{short}.{pod.spec.subdomain}.{pod.metadata.namespace}.svc.{domain}"
