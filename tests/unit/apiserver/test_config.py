"""What the API server can be told, and what does not fit together."""

import pytest

from kubewire.apiserver.config import ApiServerConfig
from kubewire.component.config import load
from kubewire.component.errors import ConfigError


def read(*flags: str) -> ApiServerConfig:
    """From flags alone."""
    return load(ApiServerConfig, "apiserver", flags, {})


def test_flags_of_a_small_cluster() -> None:
    """The flags people type are understood."""
    config = read(
        "--etcd-servers=http://a:2379,http://b:2379", "--insecure-grpc", "--secure-port=0", "--token-file=/t.csv"
    )
    assert config.etcd_servers == ("http://a:2379", "http://b:2379")
    assert (config.insecure_grpc, config.secure_port, str(config.token_file)) == (True, 0, "/t.csv")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--tls-cert-file=x"], "tls_cert_file and tls_private_key_file: want both or none"),
        (["--etcd-servers="], "etcd_servers: want at least one URL"),
        (["--service-cluster-ip-range=10.96.0.1/16"], "service_cluster_ip_range: 10.96.0.1/16 has host bits set"),
        (["--service-cluster-ip-range=fd00::/108"], "service_cluster_ip_range: "),
        (["--grpc-port=-1"], "--grpc-port: want 0 to 65535, got -1"),
    ],
)
def test_what_does_not_fit_is_named(flags: list[str], message: str) -> None:
    """An error names the setting."""
    with pytest.raises(ConfigError) as caught:
        read(*flags)
    assert message in str(caught.value)
