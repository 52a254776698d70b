"""YAML answers: what the JSON says, keys sorted, as kubectl and its like print it."""

from __future__ import annotations

from typing import Final

import orjson
import yaml

_DUMPER: Final = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def to_yaml(data: bytes) -> bytes:
    """The YAML form of a JSON text."""
    text: bytes = yaml.dump(
        orjson.loads(data),
        Dumper=_DUMPER,
        default_flow_style=False,
        allow_unicode=True,
        sort_keys=True,
        width=2**30,
        encoding="utf-8",
    )
    return text
