"""`python -m tests.robustness --seed N`: one run, or many, with what happened and what contradicts a promise."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Final

from tests.robustness.report import command, save, say
from tests.robustness.run import Options, run

_SHOWN: Final = 40


def main() -> int:
    """The number of seeds that failed, at most 1."""
    asked = _parser().parse_args()
    first, _, last = asked.seeds.partition("..") if asked.seeds else (str(asked.seed), "", str(asked.seed))
    failed = [seed for seed in range(int(first), int(last or first) + 1) if not _run(seed, asked)]
    if failed:
        say(f"{len(failed)} failed: {failed}")
    return 1 if failed else 0


def _run(seed: int, asked: argparse.Namespace) -> bool:
    options = Options(seed, asked.seconds, asked.defect, not asked.calm)
    folder = Path(tempfile.mkdtemp(prefix=f"kw-robust-{seed}-"))
    try:
        result = asyncio.run(run(options, folder))
    except Exception as errors:  # noqa: BLE001 - the next seed may do better
        say(f"seed {seed}: could not be run; the logs are in {folder}", *traceback.format_exception(errors))
        return False
    say(f"seed {seed}: {len(result.violations)} violations; {result.counts}")
    if asked.schedule or result.violations:
        say(*result.schedule)
    say(*(f"  {text}" for text in result.violations[:_SHOWN]))
    if not result.violations:
        shutil.rmtree(folder)
    else:
        say(f"the history and the logs are in {folder}; again: {command(options)}")
        save(result.history, folder / "history.json")
    return not result.violations


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.robustness", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", default="", metavar="A..B", help="several seeds, one after another")
    parser.add_argument("--seconds", type=float, default=4.0, help="how long clients and faults go on")
    parser.add_argument("--schedule", action="store_true", help="print the faults even if nothing is wrong")
    parser.add_argument("--calm", action="store_true", help="without faults")
    parser.add_argument("--defect", default="", help="put a defect into the servers (tests/robustness/defects.py)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
