"""Hatchling's build hook: makes the protobuf code before a wheel or an editable install is put together.

The generated code is not in git, so every way of installing (``pip install .``, ``pip install -e .``, a
wheel from an sdist) has to make it. The work itself is in tools/build_protos.py, which ``make generate``
runs too.
"""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ProtobufBuildHook(BuildHookInterface[Any]):
    """Runs tools/build_protos.py for wheels and editable installs; an sdist carries the .proto files."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 (hatchling's signature)
        """Bring the generated code up to date with protos/."""
        if self.target_name == "sdist":
            return
        sys.path.insert(0, self.root)
        from tools.build_protos import build  # noqa: PLC0415 (importable only with the project root on the path)

        build(Path(self.root))
