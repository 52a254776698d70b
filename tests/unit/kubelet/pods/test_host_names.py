"""What pods are called."""

import pytest

from kubewire.kubelet.pods.host_names import host_name, hosts_file, node_hosts_file
from tests.unit.kubelet.manifests import pod_of


@pytest.mark.parametrize(
    ("spec", "name", "expected"),
    [
        ("{}", "web", "web"),
        ("{hostname: baker}", "web", "baker"),
        ("{hostname: baker, subdomain: shop, setHostnameAsFQDN: true}", "web", "baker.shop.shop.svc.cluster.local"),
        ("{hostnameOverride: other}", "web", "other"),
        ("{hostNetwork: true}", "web", "n1"),
        ("{}", "x" * 62 + "-y", "x" * 62),
    ],
)
def test_host_names(spec: str, name: str, expected: str) -> None:
    """The pod's own name, unless it says otherwise; no longer than names may be."""
    assert host_name(pod_of(spec, name=name), "cluster.local", "n1") == expected


def test_the_hosts_file_names_the_pod_and_its_aliases() -> None:
    """The full name first where there is one."""
    spec = "{subdomain: front, hostAliases: [{ip: 192.0.2.7, hostnames: [a.org, b.org]}]}"
    lines = hosts_file(pod_of(spec), "cluster.local", ["10.0.0.5"]).splitlines()
    assert lines[-2:] == ["10.0.0.5\tweb.front.shop.svc.cluster.local\tweb", "192.0.2.7\ta.org b.org"]
    assert "127.0.0.1\tlocalhost" in lines
    assert hosts_file(pod_of("{}"), "", ["10.0.0.5"]).splitlines()[-1] == "10.0.0.5\tweb"


def test_pods_on_the_nodes_network_see_its_hosts() -> None:
    """And their own aliases."""
    spec = "{hostNetwork: true, hostAliases: [{ip: 192.0.2.7, hostnames: [a.org]}]}"
    assert node_hosts_file(pod_of(spec), "192.0.2.1 gate\n").splitlines()[1:] == ["192.0.2.1 gate", "192.0.2.7\ta.org"]
