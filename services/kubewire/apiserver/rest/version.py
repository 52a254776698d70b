"""Which Kubernetes this server says it is, in the form of `/version`."""

from __future__ import annotations

import platform
from typing import Final

from kubewire.machinery.json_value import JsonObject
from kubewire.machinery.release import VERSION

KUBERNETES: Final = "1.36.2"
"""The release whose API this is."""


def git_version() -> str:
    """`v1.36.2+kubewire-0.1.0`: a semantic version, so that clients can compare it."""
    return f"v{KUBERNETES}+kubewire-{VERSION}"


def version_info() -> JsonObject:
    """As `version.Info`; there is no commit to name in an installed package."""
    major, minor, _ = KUBERNETES.split(".")
    machine = platform.machine()
    return {
        "major": major,
        "minor": minor,
        "emulationMajor": major,
        "emulationMinor": minor,
        "minCompatibilityMajor": major,
        "minCompatibilityMinor": str(int(minor) - 1),
        "gitVersion": git_version(),
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": f"Python {platform.python_version()}",
        "compiler": platform.python_implementation(),
        "platform": f"{platform.system().lower()}/{ {'x86_64': 'amd64', 'aarch64': 'arm64'}.get(machine, machine) }",
    }
