"""Specifications of processes: what a command in a container starts with, made from what the container has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import orjson

JsonObject = Mapping[str, object]
TERMINAL = "TERM=xterm"


def process_of(container_spec: bytes) -> JsonObject:
    """The process of a container, from its OCI specification."""
    spec: Mapping[str, JsonObject] = orjson.loads(container_spec)
    return spec["process"]


def command_spec(process: JsonObject, command: Sequence[str], *, terminal: bool) -> bytes:
    """The same user, environment, folder, capabilities and limits, with a command of its own."""
    changed: dict[str, object] = {**process, "args": list(command), "terminal": terminal}
    changed.pop("commandLine", None)
    changed.pop("consoleSize", None)
    if terminal:
        environment = changed.get("env")
        given = list(environment) if isinstance(environment, list) else []
        if not any(str(entry).startswith("TERM=") for entry in given):
            changed["env"] = [*given, TERMINAL]
    return orjson.dumps(changed)
