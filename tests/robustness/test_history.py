"""The promises of reads, writes and watches, held while etcd and the API servers are killed, held up and restarted.

The short mode is a few seeds; the long one (`-m long`) two hundred.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from random import Random
from typing import Final

import pytest

from tests.robustness.checks import violations
from tests.robustness.defects import DEFECTS
from tests.robustness.faults import Kind, plan
from tests.robustness.lies import LIES
from tests.robustness.report import command, save, say
from tests.robustness.run import Options, Result, run

SHORT_SEEDS: Final = range(1, 7)
SHORT_SECONDS: Final = 3.5
LONG_SEEDS: Final = range(1001, 1201)
FAULTS_AT_LEAST: Final = 3
FOUND_AS: Final = {
    "serve_stale_reads": "known before",
    "lose_events": "were not delivered",
    "repeat_events": "delivered twice",
    "swap_events": "came after revision",
    "split_revisions": "were not delivered",
    "send_bookmarks_early": "came after a bookmark",
    "forget_history": "is gone, which was not compacted",
    "tear_pages": "differs from the truth",
    "lose_writes": "was acknowledged at",
    "ignore_guards": "guarded by|another write was lost",
    "repeat_writes": "was written twice",
    "refuse_what_is_done": "yet is in the truth",
    "resume_late": "were not delivered",
}
"""What is said of each defect: noticing something else would be luck."""

SHORT_DEFECTS: Final = ("lose_events", "serve_stale_reads")
WITH_FAULTS: Final = frozenset({"split_revisions", "resume_late"})
"""Defects that only show when a lease ends, or etcd does."""

_SHOWN: Final = 20

pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


@pytest.fixture(scope="module", autouse=True)
def collect_cut_connections() -> Iterator[None]:
    """Collect what the runs left behind while their own filters hold.

    A request that is cancelled while aiohttp opens its connection (the servers are killed and held all the time) can
    leave the socket to the garbage collector, which warns of it in whichever test runs then.
    """
    yield
    gc.collect()


async def expect_kept(options: Options, folder: Path) -> Result:
    """Run, and fail with what contradicts a promise, or if too little happened to prove anything."""
    result = await run(options, folder)
    say(result.counts, *result.schedule)
    if result.violations:
        file = folder / "history.json"
        save(result.history, file)
        told = "\n".join(result.violations[:_SHOWN])
        pytest.fail(f"{told}\n\nhistory: {file}\nagain: {command(options)}", pytrace=False)
    assert result.counts.is_enough, f"too little happened: {result.counts}"
    assert result.counts.faults.total() >= FAULTS_AT_LEAST, f"too few faults: {result.counts}"
    return result


def test_schedule_is_the_seeds() -> None:
    """The same seed means the same faults; another one means others; none leaves anything out for long."""
    schedules = [plan(Random(seed), 20.0, ("a", "b")) for seed in (1, 1, 2)]
    assert schedules[0] == schedules[1] != schedules[2]
    assert {fault.kind for fault in schedules[0]} == {*Kind}


@pytest.mark.parametrize("seed", SHORT_SEEDS)
async def test_promises_are_kept(seed: int, tmp_path: Path) -> None:
    """Reads and writes are linearizable, watches complete and in order; any lie in what was recorded is found."""
    result = await expect_kept(Options(seed, SHORT_SECONDS), tmp_path)
    random = Random(seed)
    for name, lie in LIES.items():
        history = deepcopy(result.history)
        assert not lie(history, random) or violations(history), f"{name} was not found"


@pytest.mark.long
@pytest.mark.parametrize("seed", LONG_SEEDS)
async def test_promises_are_kept_for_long(seed: int, tmp_path: Path) -> None:
    """Likewise, for many seeds."""
    await expect_kept(Options(seed), tmp_path)


async def expect_found(defect: str, folder: Path) -> None:
    """Run servers with a defect in them, and fail if it is not noticed for what it is."""
    has_faults = defect in WITH_FAULTS
    result = await run(Options(1, 4.0 if has_faults else 2.0, defect, has_faults, quiet_seconds=3.0), folder)
    told = "\n".join(result.violations[:_SHOWN])
    assert any(re.search(FOUND_AS[defect], text) for text in result.violations), f"not noticed: {result.counts}\n{told}"


@pytest.mark.parametrize("defect", SHORT_DEFECTS)
async def test_defect_is_found(defect: str, tmp_path: Path) -> None:
    """A server that breaks a promise now and then is caught."""
    await expect_found(defect, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("defect", sorted({*DEFECTS} - {*SHORT_DEFECTS}))
async def test_other_defect_is_found(defect: str, tmp_path: Path) -> None:
    """Likewise, for each promise there is."""
    await expect_found(defect, tmp_path)
