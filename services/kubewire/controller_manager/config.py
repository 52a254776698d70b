"""The controller-manager's configuration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path
from typing import Literal

from kubewire.component.config import setting
from kubewire.component.errors import ConfigError


@dataclass(frozen=True, slots=True)
class ControllerManagerConfig:
    """Runs the controllers of a cluster; one leads, others wait."""

    apiserver: tuple[str, ...] = setting(
        ("127.0.0.1:6444",), "gRPC addresses of API servers, host:port, separated by commas"
    )
    apiserver_insecure: bool = setting(
        False, "Reach them without TLS, on loopback only; the token is sent all the same"
    )
    ca_file: Path | None = setting(None, "PEM file of the CA that signed the API servers' certificates")
    token_file: Path | None = setting(None, "File with the bearer token to send, read again every minute")
    client_cert_file: Path | None = setting(None, "PEM file of a client certificate, instead of a token")
    client_key_file: Path | None = setting(None, "PEM file of its key")
    bind_address: str = setting("127.0.0.1", "Address of our own ports", reason="they have no TLS and ask for no token")
    grpc_port: int = setting(10357, "Port of our gRPC service; 0 takes any free one", minimum=0, maximum=65535)
    metrics_port: int = setting(
        10257, "Port of metrics and health, HTTP; 0 takes any free one", minimum=0, maximum=65535
    )
    controllers: tuple[str, ...] = setting(("*",), "Controllers to run by name; * is all, -name all but that one")
    leader_elect_resource_name: str = setting("kube-controller-manager", "Name of the Lease the leader holds")
    leader_elect_resource_namespace: str = setting("kube-system", "Its namespace")
    leader_elect_lease_seconds: float = setting(15.0, "After so long without renewal others take over", minimum=1)
    leader_elect_renew_deadline_seconds: float = setting(
        10.0, "A leader that could not renew for so long has stopped", minimum=0.1
    )
    leader_elect_retry_seconds: float = setting(2.0, "Time between renewals", minimum=0.05)
    concurrent_replicaset_syncs: int = setting(5, "ReplicaSets looked at side by side", minimum=1)
    concurrent_service_endpoint_syncs: int = setting(5, "Services looked at side by side", minimum=1)
    concurrent_endpoint_syncs: int = setting(5, "Services looked at side by side for their Endpoints", minimum=1)
    concurrent_namespace_syncs: int = setting(10, "Namespaces emptied side by side", minimum=1)
    concurrent_gc_syncs: int = setting(20, "Objects the garbage collector looks at side by side", minimum=1)
    terminated_pod_gc_threshold: int = setting(
        12500, "Pods that have ended and are kept; beyond, the oldest go; 0 keeps all", minimum=0
    )
    root_ca_file: Path | None = setting(
        None, "PEM file of the CA that every namespace is told, for pods", reason="ca_file unless set"
    )
    cluster_cidr: str = setting("10.244.0.0/16", "Range of the addresses of pods, IPv4")
    node_cidr_mask_size: int = setting(24, "Length of the prefix of each node's part of it", minimum=8, maximum=30)
    node_monitor_grace_seconds: float = setting(
        40.0, "How long a node may be silent", reason="four heartbeats, which come every 10 s", minimum=1
    )
    log_level: Literal["debug", "info", "warning", "error"] = setting("info", "What is logged at least")
    log_format: Literal["auto", "json", "text"] = setting("auto", "How it is logged", reason="text on a terminal only")

    def __post_init__(self) -> None:
        """Refuse what does not fit together.

        Raises:
            ConfigError: naming the setting.
        """
        if not self.apiserver:
            raise ConfigError("apiserver: want at least one address, such as 127.0.0.1:6444")
        if bool(self.client_cert_file) != bool(self.client_key_file):
            raise ConfigError("client_cert_file and client_key_file: want both or none")
        try:
            cluster = IPv4Network(self.cluster_cidr)
        except ValueError as error:
            raise ConfigError(f"cluster_cidr: {error}") from None
        if self.node_cidr_mask_size < cluster.prefixlen:
            raise ConfigError(f"node_cidr_mask_size: want at least {cluster.prefixlen}, that of cluster_cidr")

    def runs(self, name: str) -> bool:
        """Whether a controller is to run."""
        return is_wanted(name, self.controllers)


def is_wanted(name: str, wanted: Sequence[str]) -> bool:
    """Whether a list of names, `-name` and `*` asks for one; what it says of the name itself wins over `*`."""
    if f"-{name}" in wanted:
        return False
    return name in wanted or "*" in wanted
