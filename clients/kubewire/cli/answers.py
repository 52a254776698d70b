"""What commands answer: data first, and how it reads on a terminal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from kubewire.machinery.release import VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubewire.cluster.home import Home
    from kubewire.cluster.inspection import Health
    from kubewire.cluster.state import ClusterState

Answer = dict[str, object]
_API_VERSION = "v1.36"
_MOST_IN_A_LINE = 4


def connection(home: Home, state: ClusterState) -> Answer:
    """How to reach a cluster. The last entry is for people: commands to try."""
    settings = state.settings
    flags = f"-cacert {home.pki}/ca.crt"
    header = f'-H "Authorization: Bearer $(cat {home.token})"'
    answer: Answer = {
        "cluster": settings.name,
        "runtime": settings.runtime,
        "processes": settings.processes,
        "rest": f"https://{settings.rest}",
        "grpc": settings.grpc,
        "kubeconfig": str(home.kubeconfig),
        "ca": str(home.pki / "ca.crt"),
        "token": str(home.token),
    }
    if settings.insecure_grpc:
        answer["insecureGrpc"] = settings.insecure_grpc
    answer["try"] = [
        f"kubectl --kubeconfig {home.kubeconfig} get namespaces",
        f"grpcurl {flags} {header} {settings.grpc} list",
    ]
    return answer


def health(home: Home, found: Health) -> Answer:
    """A running cluster's health, its addresses, processes and nodes; memory is in MiB."""
    settings = found.state.settings
    answer = connection(home, found.state)
    del answer["try"]
    answer["ready"] = found.is_ready
    if found.detail:
        answer["detail"] = found.detail
    answer["etcd"] = settings.etcd_version
    answer["services"] = dict(settings.services)
    answer["metrics"] = dict(found.metrics)
    answer["components"] = {
        name: {
            "state": one.condition,
            "pid": one.pid,
            "restarts": one.restarts,
            "memoryMiB": round(one.bytes / 2**20, 1),
            "log": one.log,
        }
        for name, one in found.components.items()
    }
    if found.nodes:
        answer["nodes"] = {
            name: {
                "ready": one.is_ready,
                "address": ",".join(one.addresses),
                "podCIDR": one.pod_cidr,
                "version": one.version,
            }
            for name, one in found.nodes.items()
        }
    return answer


def versions() -> Answer:
    """Kubewire's own version and that of the API."""
    return {"kubewire": VERSION, "kubernetesApi": _API_VERSION}


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
        elif isinstance(value, dict) and any(isinstance(row, dict) for row in value.values()):
            click.echo(f"\n{click.style(key, bold=True)}:")
            for line in table(value):
                click.echo(f"  {line}")
        elif isinstance(value, dict) and len(value) > _MOST_IN_A_LINE:
            click.echo(f"\n{click.style(key, bold=True)}:")
            for name, one in value.items():
                click.echo(f"  {name}  {one}")
        else:
            text = ", ".join(f"{name} {one}" for name, one in value.items()) if isinstance(value, dict) else value
            click.echo(f"{click.style(key.ljust(width), bold=True)}  {text}")


def table(rows: Mapping[str, Mapping[str, object]]) -> list[str]:
    """Rows by name as lines with aligned columns, headed by the columns' names."""
    columns = list(next(iter(rows.values())))
    cells = [["name", *columns], *([name, *(str(row[column]) for column in columns)] for name, row in rows.items())]
    widths = [max(len(line[place]) for line in cells) for place in range(len(cells[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]
