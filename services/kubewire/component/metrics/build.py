"""Which build runs, and which Kubernetes it is: the metric that dashboards list versions by."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING, Final

from kubewire.machinery.release import VERSION

if TYPE_CHECKING:
    from kubewire.component.metrics.families import Labels
    from kubewire.component.metrics.registry import Registry

KUBERNETES: Final = "1.36.2"
"""The release whose API the components speak."""

_LABELS: Final = (
    "build_date",
    "compiler",
    "git_commit",
    "git_tree_state",
    "git_version",
    "go_version",
    "major",
    "minor",
    "platform",
)


def add_build_info(registry: Registry) -> None:
    """`kubernetes_build_info`, always 1; what only a compiled program has is empty."""
    registry.computed("kubernetes_build_info", "The build that runs.", _LABELS, collect=lambda: [(_values(), 1.0)])


def _values() -> Labels:
    major, minor, _ = KUBERNETES.split(".")
    return (
        "",
        platform.python_implementation(),
        "",
        "",
        f"v{KUBERNETES}+kubewire-{VERSION}",
        f"Python {platform.python_version()}",
        major,
        minor,
        f"{platform.system().lower()}/{platform.machine()}",
    )
