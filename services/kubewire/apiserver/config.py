"""The API server's configuration."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path
from typing import Literal

from kubewire.apiserver.admission.names import NAMES
from kubewire.component.config import setting
from kubewire.component.errors import ConfigError


@dataclass(frozen=True, slots=True)
class ApiServerConfig:
    """Serves the Kubernetes API over gRPC and REST, from etcd."""

    etcd_servers: tuple[str, ...] = setting(
        ("http://127.0.0.1:2379",), "Client URLs of etcd's members, separated by commas"
    )
    etcd_cafile: Path | None = setting(None, "PEM file of the CA that signed the members' certificates")
    etcd_certfile: Path | None = setting(None, "PEM file of the client certificate for etcd")
    etcd_keyfile: Path | None = setting(None, "PEM file of its key")
    etcd_wait_seconds: float = setting(
        60.0, "How long a starting server waits for etcd, in seconds", reason="etcd elects a leader first", minimum=0
    )
    bind_address: str = setting("0.0.0.0", "Address both TLS ports listen on")  # noqa: S104 - upstream's default
    more_bind_addresses: tuple[str, ...] = setting(
        (), "Further addresses both TLS ports listen on", reason="a local cluster's nodes reach it at another address"
    )
    advertise_address: str = setting(
        "", "Address that nodes and pods reach this server at", reason="the bind address unless that is any address"
    )
    secure_port: int = setting(6443, "Port of REST, TLS; 0 takes any free one", minimum=0, maximum=65535)
    grpc_port: int = setting(6444, "Port of gRPC, TLS; 0 takes any free one", minimum=0, maximum=65535)
    grpc_client_certificate_port: int = setting(
        -1,
        "Port of gRPC that knows callers by client certificates and admits no others; -1: none, 0 takes any free one",
        reason="grpcio cannot ask for a client certificate without requiring it",
        minimum=-1,
        maximum=65535,
    )
    insecure_grpc: bool = setting(
        False, "Also serve gRPC without TLS on the loopback address; tokens are still required"
    )
    insecure_grpc_port: int = setting(6445, "Port of gRPC without TLS; 0 takes any free one", minimum=0, maximum=65535)
    cert_dir: Path = setting(
        Path("/var/lib/kubewire/pki"), "Folder of the cluster's CA and certificates; what is missing is made there"
    )
    tls_names: tuple[str, ...] = setting((), "More names and addresses the server's certificate is for")
    tls_cert_file: Path | None = setting(None, "PEM file of a server certificate to use instead of our own")
    tls_private_key_file: Path | None = setting(None, "PEM file of its key")
    client_ca_file: Path | None = setting(
        None, "PEM file of the CA whose client certificates are believed", reason="the cluster's CA unless set"
    )
    kubelet_ca_file: Path | None = setting(
        None, "PEM file of the CA that signed the kubelets' certificates", reason="the cluster's CA unless set"
    )
    kubelet_client_cert_file: Path | None = setting(
        None,
        "PEM file of the certificate this server shows to kubelets",
        reason="without it one is made in the folder of certificates",
    )
    kubelet_client_key_file: Path | None = setting(None, "PEM file of its key")
    token_file: Path | None = setting(
        None,
        'File of bearer tokens, lines of token,user,uid,"group,group"',
        reason="without it an admin's token is made in the folder of certificates",
    )
    service_account_issuer: str = setting(
        "https://kubernetes.default.svc.cluster.local", "Who the tokens of service accounts say they are from"
    )
    service_account_signing_key_file: Path | None = setting(
        None,
        "PEM file of the private key that service accounts' tokens are signed with",
        reason="without it a key is made in the folder of certificates",
    )
    service_account_key_file: tuple[str, ...] = setting(
        (), "PEM files of more keys that such tokens are believed by, as while keys are changed"
    )
    api_audiences: tuple[str, ...] = setting(
        (), "For whom tokens have to be that are shown to this server", reason="the issuer unless set"
    )
    disable_admission_plugins: tuple[str, ...] = setting(
        (),
        "Admission plug-ins to leave out, by Kubernetes' names",
        reason="without ServiceAccount pods need no account, as where no controller-manager makes accounts",
    )
    service_cluster_ip_range: str = setting("10.96.0.0/16", "Addresses that Services get, IPv4")
    max_requests_inflight: int = setting(400, "Reads served at once; more are refused with 429", minimum=1)
    max_mutating_requests_inflight: int = setting(200, "Writes served at once; more are refused with 429", minimum=1)
    compaction_interval_seconds: float = setting(
        300.0,
        "Interval at which etcd forgets old history",
        reason="watches resume from one to two intervals",
        minimum=1,
    )
    shutdown_delay_seconds: float = setting(
        0.0, "How long a server that stops still serves while it says that it is not ready", minimum=0
    )
    shutdown_grace_seconds: float = setting(10.0, "How long calls may take to end when the server stops", minimum=0)
    log_level: Literal["debug", "info", "warning", "error"] = setting("info", "What is logged at least")
    log_format: Literal["auto", "json", "text"] = setting("auto", "How it is logged", reason="text on a terminal only")

    def __post_init__(self) -> None:
        """Refuse what does not fit together.

        Raises:
            ConfigError: naming the setting.
        """
        if bool(self.tls_cert_file) != bool(self.tls_private_key_file):
            raise ConfigError("tls_cert_file and tls_private_key_file: want both or none")
        if bool(self.kubelet_client_cert_file) != bool(self.kubelet_client_key_file):
            raise ConfigError("kubelet_client_cert_file and kubelet_client_key_file: want both or none")
        if not self.etcd_servers:
            raise ConfigError("etcd_servers: want at least one URL, such as http://127.0.0.1:2379")
        for name in self.disable_admission_plugins:
            if name not in NAMES:
                known = ", ".join(sorted(NAMES))
                raise ConfigError(f"disable_admission_plugins: no plug-in is called {name}; there are {known}")
        try:
            IPv4Network(self.service_cluster_ip_range)
        except ValueError as error:
            raise ConfigError(f"service_cluster_ip_range: {error}") from None
