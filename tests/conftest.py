"""What every suite may use: a free port, and a real etcd of the test's own (tests/etcd_process.py)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.etcd_process import EtcdProcess, find_free_port, running_etcd


@pytest.fixture
def free_port() -> int:
    """One free TCP port on the loopback address."""
    return find_free_port()


@pytest.fixture
def etcd_process(tmp_path: Path) -> Iterator[EtcdProcess]:
    """A fresh etcd that the test may kill, pause and restart."""
    with running_etcd(tmp_path / "etcd") as member:
        yield member


@pytest.fixture
def etcd(etcd_process: EtcdProcess) -> str:
    """The endpoint (`host:port`) of a fresh, empty etcd."""
    return etcd_process.endpoint


@pytest.fixture(scope="session")
def shared_etcd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The endpoint of one etcd for the whole run, for tests that keep to a key prefix of their own."""
    with running_etcd(tmp_path_factory.mktemp("shared-etcd")) as member:
        yield member.endpoint
