"""The scheduler's configuration."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kubewire.component.config import setting
from kubewire.component.errors import ConfigError


@dataclass(frozen=True, slots=True)
class SchedulerConfig:
    """Says on which node each pod runs."""

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
    scheduler_name: str = setting("default-scheduler", "Pods with this spec.schedulerName are scheduled, and no others")
    leader_elect_resource_name: str = setting("kube-scheduler", "Name of the Lease the leader holds")
    leader_elect_resource_namespace: str = setting("kube-system", "Its namespace")
    leader_elect_lease_seconds: float = setting(15.0, "After so long without renewal others take over", minimum=1)
    leader_elect_renew_deadline_seconds: float = setting(
        10.0, "A leader that could not renew for so long has stopped", minimum=0.1
    )
    leader_elect_retry_seconds: float = setting(2.0, "Time between renewals", minimum=0.05)
    backoff_first_seconds: float = setting(
        1.0, "Wait of a pod after its first attempt in vain; doubled each time", minimum=0
    )
    backoff_limit_seconds: float = setting(10.0, "Longest such wait", minimum=0)
    unschedulable_seconds: float = setting(
        300.0, "A pod that fits nowhere is tried again after this, whatever happens", minimum=1
    )
    assumed_seconds: float = setting(
        60.0,
        "How long a bound pod is counted although the API server's watch does not tell of it",
        reason="a watch that broke goes on within seconds",
        minimum=1,
    )
    seed: int = setting(-1, "Seed of the choice among equally good nodes; -1: another one at each start", minimum=-1)
    bind_address: str = setting("127.0.0.1", "Address of our own ports", reason="they have no TLS and ask for no token")
    grpc_port: int = setting(10359, "Port of our gRPC service; 0 takes any free one", minimum=0, maximum=65535)
    metrics_port: int = setting(
        10259, "Port of metrics and health, HTTP; 0 takes any free one", minimum=0, maximum=65535
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
        if self.backoff_first_seconds > self.backoff_limit_seconds:
            raise ConfigError("backoff_first_seconds: want at most backoff_limit_seconds")
