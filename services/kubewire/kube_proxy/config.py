"""kube-proxy's configuration."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from ipaddress import IPv4Network, ip_network
from pathlib import Path
from typing import Literal

from kubewire.component.config import setting
from kubewire.component.errors import ConfigError


@dataclass(frozen=True, slots=True)
class KubeProxyConfig:
    """Programs what Services promise into the kernel of its node."""

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
    node_name: str = setting("", "Name of the Node object this runs on; empty: the machine's, in lower case")
    mode: Literal["nftables", "memory"] = setting(
        "nftables", "Where rules are programmed; memory programs nothing, for nodes that are simulated"
    )
    cluster_cidr: tuple[str, ...] = setting(
        (), "Addresses of the cluster's pods; connections from elsewhere to cluster IPs are masqueraded. None: none are"
    )
    masquerade_all: bool = setting(False, "Masquerade connections to cluster IPs wherever they come from")
    masquerade_bit: int = setting(
        14, "Bit of the packet mark that says: masquerade", reason="the bit Kubernetes uses", minimum=0, maximum=31
    )
    min_sync_seconds: float = setting(
        0.02, "Shortest time between two transactions", reason="changes that come together go together", minimum=0
    )
    check_seconds: float = setting(
        5.0,
        "How often it is looked whether somebody else has changed rules",
        reason="it costs one question to the kernel unless somebody has",
        minimum=0.05,
    )
    unhealthy_seconds: float = setting(
        60.0, "Changes that wait longer than this to be programmed make the node unhealthy", minimum=1
    )
    cleanup: bool = setting(False, "Remove all rules that any mode has programmed here, and exit")
    bind_address: str = setting(
        "127.0.0.1", "Address of our gRPC and metrics ports", reason="they have no TLS and ask for no token"
    )
    grpc_port: int = setting(10356, "Port of our gRPC service; 0 takes any free one", minimum=0, maximum=65535)
    metrics_port: int = setting(
        10249, "Port of metrics and health, HTTP; 0 takes any free one", minimum=0, maximum=65535
    )
    metrics_bind_address: str = setting("", "Address of the metrics port", reason="empty: that of bind_address")
    healthz_bind_address: str = setting(
        "0.0.0.0",  # noqa: S104 - load balancers ask from elsewhere; it tells health and nothing else
        "Address of the port that load balancers ask for the node's health, and of health check node ports",
    )
    healthz_port: int = setting(10256, "That port, HTTP; 0 takes any free one", minimum=0, maximum=65535)
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
        for text in self.cluster_cidr:
            try:
                ip_network(text)
            except ValueError as error:
                raise ConfigError(f"cluster_cidr: want a range of addresses such as 10.244.0.0/16: {error}") from None

    @property
    def node(self) -> str:
        """The node's name."""
        return self.node_name or socket.gethostname().lower()

    @property
    def pod_networks(self) -> tuple[IPv4Network, ...]:
        """`cluster_cidr`, the IPv4 ones."""
        found = (ip_network(text) for text in self.cluster_cidr)
        return tuple(one for one in found if isinstance(one, IPv4Network))
