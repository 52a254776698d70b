"""How a pod resolves names: its dnsPolicy, its dnsConfig, the cluster's DNS and the node's. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.cri.v1.api_pb2 import DNSConfig

_SERVERS_AT_MOST: Final = 3
_SEARCHES_AT_MOST: Final = 32


class Resolving(NamedTuple):
    """What stands in a resolv.conf."""

    servers: Sequence[str] = ()
    searches: Sequence[str] = ()
    options: Sequence[str] = ()


def parse(text: str) -> Resolving:
    """A resolv.conf."""
    servers, searches, options = [], [], []
    for line in text.splitlines():
        words = line.split("#")[0].split(";")[0].split()
        if len(words) < 2:
            continue
        if words[0] == "nameserver":
            servers.append(words[1])
        elif words[0] in {"search", "domain"}:
            searches = [word.rstrip(".") or "." for word in words[1:]]
        elif words[0] == "options":
            options = words[1:]
    return Resolving(servers, searches, options)


def dns_config(pod: Pod, cluster_dns: Sequence[str], domain: str, node: Resolving) -> DNSConfig:
    """What the runtime writes into the pod's resolv.conf."""
    found = _by_policy(pod, cluster_dns, domain, node)
    own = pod.spec.dnsConfig
    options = dict(_split(option) for option in found.options)
    options.update({one.name: one.value for one in own.options})
    return DNSConfig(
        servers=_unique((*found.servers, *own.nameservers))[:_SERVERS_AT_MOST],
        searches=_unique((*found.searches, *own.searches))[:_SEARCHES_AT_MOST],
        options=[f"{name}:{value}" if value else name for name, value in options.items()],
    )


def _by_policy(pod: Pod, cluster_dns: Sequence[str], domain: str, node: Resolving) -> Resolving:
    policy = pod.spec.dnsPolicy or "ClusterFirst"
    if policy == "None":
        return Resolving()
    wants_cluster = policy == "ClusterFirstWithHostNet" or (policy == "ClusterFirst" and not pod.spec.hostNetwork)
    if not wants_cluster or not cluster_dns:
        return node
    searches = [f"{pod.metadata.namespace}.svc.{domain}", f"svc.{domain}", domain] if domain else []
    return Resolving(cluster_dns, (*searches, *node.searches), ("ndots:5",))


def _split(option: str) -> tuple[str, str]:
    name, _, value = option.partition(":")
    return name, value


def _unique(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(words))
