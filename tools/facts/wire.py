"""Write `tests/data/wire/` from a folder of wire-fact tables: `python -m tools.facts.wire FACTS`.

One line a message, enum or call, in a form that can be made from descriptors as well: `tests/conformance/wire` makes it
from the generated code and compares. Fields stand in the order of their declaration, which JSON follows.

    message k8s.io.api.core.v1.ContainerPort: name=1 string; hostPort=2 int32; ...
    enum runtime.v1.Protocol: TCP=0 UDP=1 SCTP=2
    rpc etcdserverpb.Watch.Watch: stream etcdserverpb.WatchRequest -> stream etcdserverpb.WatchResponse
"""

from __future__ import annotations

import sys
from pathlib import Path

from tools.facts.peers import Row, rows

TARGET = Path("tests/data/wire")
PEERS = ("cri", "containerd", "etcd")


def field_text(row: Row) -> str:
    """One field."""
    label = "repeated " if row["label"] == "repeated" else ""
    group = f" in {row['oneof']}" if row.get("oneof") else ""
    return f"{row['field_name']}={row['number']} {label}{row['type']}{group}"


def message_lines(table: Path) -> list[str]:
    """All messages of one table."""
    messages: dict[str, list[str]] = {}
    for row in rows(table):
        fields = messages.setdefault(f"{row['proto_package']}.{row['message']}", [])
        if row["field_name"]:
            fields.append(field_text(row))
    return [f"message {name}: {'; '.join(fields)}".rstrip() for name, fields in messages.items()]


def enum_lines(table: Path) -> list[str]:
    """All enums of one table."""
    enums: dict[str, list[str]] = {}
    for row in rows(table):
        enums.setdefault(row["enum"], []).append(f"{row['value_name']}={row['number']}")
    return [f"enum {name}: {' '.join(values)}" for name, values in enums.items()]


def call_lines(table: Path) -> list[str]:
    """All calls of one table."""
    return [
        f"rpc {row['service']}.{row['rpc']}: {stream(row['client_streaming'])}{row['request']} -> "
        f"{stream(row['server_streaming'])}{row['response']}"
        for row in rows(table)
    ]


def stream(flag: str) -> str:
    """What stands in front of a streamed message."""
    return "stream " if flag == "true" else ""


def main(facts: Path) -> None:
    """Write every file."""
    TARGET.mkdir(parents=True, exist_ok=True)
    lines = {"kubernetes": message_lines(facts / "proto-fields.tsv")}
    for peer in PEERS:
        tables = [facts / f"{peer}-{subject}.tsv" for subject in ("fields", "enums", "services")]
        lines[peer] = [*message_lines(tables[0]), *enum_lines(tables[1]), *call_lines(tables[2])]
    for name, found in lines.items():
        (TARGET / f"{name}.txt").write_text("\n".join(sorted(found)) + "\n")
        print(f"{name}: {len(found)} lines")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
