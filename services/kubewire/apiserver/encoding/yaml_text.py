"""YAML answers: what the JSON says, in the style kubectl prints."""

from __future__ import annotations

import orjson


def to_yaml(data: bytes) -> bytes:
    """The YAML form of a JSON text."""
    from kubewire.machinery.codec.yaml_writer import encode_yaml  # noqa: PLC0415 - few clients ever need YAML

    return encode_yaml(orjson.loads(data))
