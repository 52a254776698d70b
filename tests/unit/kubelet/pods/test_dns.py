"""How pods resolve names."""

import pytest

from kubewire.kubelet.pods.dns import Resolving, dns_config, parse
from tests.unit.kubelet.manifests import pod_of

NODE = Resolving(["192.0.2.53"], ["example.org"], ["timeout:2"])
CLUSTER = ["shop.svc.cluster.local", "svc.cluster.local", "cluster.local", "example.org"]


def test_a_resolv_conf_is_read() -> None:
    """Comments, the last search line, and options."""
    lines = ("# ours", "nameserver 192.0.2.1", "nameserver 192.0.2.2 ; second", "search a.org", "search b.org. c.org")
    assert parse("\n".join((*lines, "options ndots:2 rotate", ""))) == Resolving(
        ["192.0.2.1", "192.0.2.2"], ["b.org", "c.org"], ["ndots:2", "rotate"]
    )


@pytest.mark.parametrize(
    ("spec", "servers", "searches", "options"),
    [
        ("{}", ["10.96.0.10"], CLUSTER, ["ndots:5"]),
        ("{dnsPolicy: Default}", ["192.0.2.53"], ["example.org"], ["timeout:2"]),
        ("{hostNetwork: true}", ["192.0.2.53"], ["example.org"], ["timeout:2"]),
        ("{hostNetwork: true, dnsPolicy: ClusterFirstWithHostNet}", ["10.96.0.10"], CLUSTER, ["ndots:5"]),
        ("{dnsPolicy: None, dnsConfig: {nameservers: [192.0.2.9], searches: [x.org]}}", ["192.0.2.9"], ["x.org"], []),
        (
            "{dnsConfig: {nameservers: [192.0.2.9], options: [{name: ndots, value: '2'}, {name: edns0}]}}",
            ["10.96.0.10", "192.0.2.9"],
            CLUSTER,
            ["ndots:2", "edns0"],
        ),
    ],
)
def test_policies(spec: str, servers: list[str], searches: list[str], options: list[str]) -> None:
    """The policy says where it begins, and the pod's own configuration goes on top."""
    config = dns_config(pod_of(spec), ["10.96.0.10"], "cluster.local", NODE)
    assert (list(config.servers), list(config.searches), list(config.options)) == (servers, searches, options)


def test_without_a_cluster_dns_pods_resolve_as_the_node_does() -> None:
    """ClusterFirst falls back."""
    config = dns_config(pod_of("{}"), [], "cluster.local", NODE)
    assert list(config.servers) == ["192.0.2.53"]


def test_no_more_servers_than_resolvers_read() -> None:
    """Three, each once."""
    spec = "{dnsConfig: {nameservers: [192.0.2.1, 192.0.2.1, 192.0.2.2, 192.0.2.3, 192.0.2.4]}}"
    config = dns_config(pod_of(spec), [], "", Resolving())
    assert list(config.servers) == ["192.0.2.1", "192.0.2.2", "192.0.2.3"]
