"""The settings of the network between nodes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kubewire.component.config import setting


@dataclass(frozen=True, slots=True)
class NodeNetworkConfig:
    """Keeps routes between the nodes of a local cluster, and the pod network of each."""

    apiserver: tuple[str, ...] = setting(
        ("127.0.0.1:6444",), "gRPC addresses of API servers, host:port, separated by commas"
    )
    ca_file: Path | None = setting(None, "PEM file of the CA that signed the API servers' certificates")
    token_file: Path | None = setting(None, "File with the bearer token to send, read again every minute")
    cluster: str = setting("default", "Name of the cluster")
    home: Path = setting(Path(), "Folder of the cluster, which says where its nodes are")
    log_level: Literal["debug", "info", "warning", "error"] = setting("info", "What is logged at least")
    log_format: Literal["auto", "json", "text"] = setting("auto", "How it is logged", reason="text on a terminal only")
