"""What is told of a run, and kept of one that failed: its history in a file, and the command that runs it again."""

from __future__ import annotations

import sys
from pathlib import Path

import orjson

from tests.robustness.history import History
from tests.robustness.run import Options


def say(*lines: object) -> None:
    """Print lines, at once."""
    for line in lines:
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def command(options: Options) -> str:
    """The command that makes the same choices again."""
    parts = ["python -m tests.robustness", f"--seed {options.seed}", f"--seconds {options.seconds:g}"]
    if options.defect:
        parts.append(f"--defect {options.defect}")
    if not options.has_faults:
        parts.append("--calm")
    return " ".join(parts)


def save(history: History, path: Path) -> None:
    """Write a history as JSON."""
    path.write_bytes(orjson.dumps(history, default=sorted, option=orjson.OPT_INDENT_2))
