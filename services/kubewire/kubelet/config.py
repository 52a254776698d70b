"""The kubelet's configuration."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kubewire.component.config import setting
from kubewire.component.errors import ConfigError


@dataclass(frozen=True, slots=True)
class KubeletConfig:
    """Runs the pods that are bound to its node, and reports them and the node."""

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

    node_name: str = setting("", "Name of the node", reason="empty: the host's name in lower case")
    node_ip: str = setting("", "The node's address", reason="empty: the address that the default route leaves from")
    node_labels: tuple[str, ...] = setting((), "Labels of the node when it registers, name=value")
    register_with_taints: tuple[str, ...] = setting((), "Taints of the node when it registers, key=value:effect")
    max_pods: int = setting(110, "Pods on the node at most", minimum=1)
    node_status_update_seconds: float = setting(10.0, "How often the node's status is looked at", minimum=0.1)
    node_status_report_seconds: float = setting(
        300.0, "How often it is written although nothing changed", reason="the Lease is the heartbeat", minimum=1
    )
    node_lease_seconds: int = setting(40, "After so long without renewal the node counts as gone", minimum=2)
    system_reserved_memory: str = setting("0", "Memory kept from pods, such as 100Mi")
    system_reserved_cpu: str = setting("0", "CPU kept from pods, such as 100m")
    eviction_memory_available: str = setting("100Mi", "Below this free memory the node is under MemoryPressure")
    eviction_disk_available_percent: float = setting(
        10.0, "Below this share of free disk the node is under DiskPressure", minimum=0, maximum=100
    )

    root_dir: Path = setting(Path("/var/lib/kubewire/kubelet"), "Folder of volumes, logs and messages of pods")
    runtime: Literal["cri", "simulated"] = setting(
        "cri", "What runs containers", reason="simulated: pods go through their life cycle and nothing runs"
    )
    container_runtime_endpoint: str = setting("/run/containerd/containerd.sock", "Socket of the CRI runtime")
    cgroup_root: str = setting("", "Cgroup that those of pods are made below, such as /kubewire/demo/node-1")
    relist_seconds: float = setting(
        10.0, "How often the runtime is asked for all it has", reason="events can be lost, states cannot", minimum=0.1
    )
    sync_seconds: float = setting(60.0, "How often a pod is looked at although nothing changed", minimum=1)
    backoff_first_seconds: float = setting(10.0, "Wait before a container's second restart", minimum=0.01)
    backoff_limit_seconds: float = setting(300.0, "Longest such wait", minimum=0.01)

    cluster_dns: tuple[str, ...] = setting((), "Addresses of the cluster's DNS; none: pods resolve as the node does")
    cluster_domain: str = setting("cluster.local", "The cluster's DNS domain")
    resolv_conf: Path = setting(Path("/etc/resolv.conf"), "How the node resolves names")

    image_gc_high_percent: float = setting(85.0, "Disk in use above which unused images go", minimum=0, maximum=100)
    image_gc_low_percent: float = setting(80.0, "Disk in use down to which they go", minimum=0, maximum=100)
    image_minimum_age_seconds: float = setting(120.0, "Unused images stay this long at least", minimum=0)
    container_log_max_size: str = setting("10Mi", "Size above which a container's log is put aside")
    container_log_max_files: int = setting(5, "Files kept of each container's log", minimum=2)

    bind_address: str = setting("127.0.0.1", "Address of our own ports")
    grpc_port: int = setting(10350, "Port of our gRPC service; 0 takes any free one", minimum=0, maximum=65535)
    metrics_port: int = setting(
        10250, "Port of metrics and health, HTTP; 0 takes any free one", minimum=0, maximum=65535
    )
    serving_cert_file: Path | None = setting(None, "PEM file of the certificate our gRPC port shows; none: no TLS")
    serving_key_file: Path | None = setting(None, "PEM file of its key")
    client_ca_file: Path | None = setting(None, "Only callers with a certificate of this CA are served over gRPC")
    caller_token_file: Path | None = setting(None, "Only callers with the bearer token in this file are served")
    log_level: Literal["debug", "info", "warning", "error"] = setting("info", "What is logged at least")
    log_format: Literal["auto", "json", "text"] = setting("auto", "How it is logged", reason="text on a terminal only")

    def __post_init__(self) -> None:
        """Refuse what does not fit together.

        Raises:
            ConfigError: naming the setting.
        """
        if not self.apiserver:
            raise ConfigError("apiserver: want at least one address, such as 127.0.0.1:6444")
        for first, second in (
            ("client_cert_file", "client_key_file"),
            ("serving_cert_file", "serving_key_file"),
        ):
            if bool(getattr(self, first)) != bool(getattr(self, second)):
                raise ConfigError(f"{first} and {second}: want both or none")
        if self.client_ca_file and not self.serving_cert_file:
            raise ConfigError("client_ca_file: callers show certificates over TLS only; want serving_cert_file too")
        if self.image_gc_low_percent > self.image_gc_high_percent:
            raise ConfigError("image_gc_low_percent: want at most image_gc_high_percent")
