"""What commands answer: data first, and how it reads on a terminal."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from kubewire.cluster.home import Home
    from kubewire.cluster.inspection import Health
    from kubewire.cluster.state import ClusterState

Answer = dict[str, object]
_API_VERSION = "v1.36"


def connection(home: Home, state: ClusterState) -> Answer:
    """How to reach a cluster. The last entry is for people: commands to try."""
    flags = f"-cacert {home.pki}/ca.crt"
    header = f'-H "Authorization: Bearer $(cat {home.token})"'
    answer: Answer = {
        "cluster": state.name,
        "runtime": state.runtime,
        "rest": f"https://{state.rest}",
        "grpc": state.grpc,
        "kubeconfig": str(home.kubeconfig),
        "ca": str(home.pki / "ca.crt"),
        "token": str(home.token),
    }
    if state.insecure_grpc:
        answer["insecureGrpc"] = state.insecure_grpc
    answer["try"] = [
        f"kubectl --kubeconfig {home.kubeconfig} get namespaces",
        f"grpcurl {flags} {header} {state.grpc} list",
    ]
    return answer


def health(home: Home, found: Health) -> Answer:
    """A running cluster's health, its addresses and its memory in MiB."""
    answer = connection(home, found.state)
    del answer["try"]
    answer["ready"] = found.is_ready
    if found.detail:
        answer["detail"] = found.detail
    answer["etcd"] = found.state.etcd_version
    answer["memoryMiB"] = {
        "controlPlane": round(found.control_plane_bytes / 2**20, 1),
        "etcd": round(found.etcd_bytes / 2**20, 1),
    }
    return answer


def versions() -> Answer:
    """Kubewire's own version and that of the API."""
    return {"kubewire": version("kubewire"), "kubernetesApi": _API_VERSION}


def show(answer: Answer, form: str) -> None:
    """Print an answer as text, JSON or YAML."""
    if form == "json":
        click.echo(json.dumps(answer, indent=2))
    elif form == "yaml":
        import yaml

        click.echo(yaml.safe_dump(answer, sort_keys=False).rstrip())
    else:
        _show_text(answer)


def _show_text(answer: Answer) -> None:
    width = max(map(len, answer))
    for key, value in answer.items():
        if isinstance(value, list):
            click.echo(f"\n{key}:")
            for line in value:
                click.echo(f"  {line}")
            continue
        if isinstance(value, dict):
            value = ", ".join(f"{name} {number}" for name, number in value.items())  # noqa: PLW2901  # its text
        click.echo(f"{click.style(key.ljust(width), bold=True)}  {value}")
