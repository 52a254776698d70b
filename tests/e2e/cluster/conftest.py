"""Clusters with containers, for tests that need them."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator

import pytest

from tests.cluster_commands import Cluster, remains

_numbers = itertools.count(1)


@pytest.fixture
def containers_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster that does not run yet; ended afterwards, with nothing left of it."""
    home = tmp_path_factory.mktemp("kw") / "home"
    made = Cluster(home, f"e2e-{os.getpid()}-{next(_numbers)}", "containerd")
    yield made
    done = made.run("down", "--purge")
    assert done.returncode == 0, done.stderr
    assert remains(made) == []
