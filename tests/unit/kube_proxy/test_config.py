"""What the configuration refuses and gives."""

import socket
from ipaddress import IPv4Network

import pytest

from kubewire.component.config import load
from kubewire.component.errors import ConfigError
from kubewire.kube_proxy.config import KubeProxyConfig


def test_defaults() -> None:
    """Kubernetes' ports; the machine's name."""
    config = load(KubeProxyConfig, "kube_proxy", [], {})
    assert (config.grpc_port, config.metrics_port, config.healthz_port) == (10356, 10249, 10256)
    assert config.node == socket.gethostname().lower()
    assert config.mode == "nftables"


def test_networks() -> None:
    """Ranges of both families are taken, and the IPv4 ones used."""
    config = load(KubeProxyConfig, "kube_proxy", ["--cluster-cidr=10.244.0.0/16,fd00::/48"], {})
    assert config.pod_networks == (IPv4Network("10.244.0.0/16"),)


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (["--cluster-cidr=10.244.0.1/16"], "cluster_cidr"),
        (["--client-cert-file=a"], "client_key_file"),
        (["--mode=ipvs"], "nftables or memory"),
        (["--masquerade-bit=32"], "masquerade-bit"),
    ],
)
def test_what_does_not_fit(flags: list[str], named: str) -> None:
    """The setting is named."""
    with pytest.raises(ConfigError, match=named):
        load(KubeProxyConfig, "kube_proxy", flags, {})
