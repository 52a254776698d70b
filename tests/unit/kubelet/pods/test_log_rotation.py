"""Logs that grow too long."""

from pathlib import Path

from kubewire.kubelet.pods.log_rotation import superfluous


def test_the_oldest_go() -> None:
    """With the present one there are as many as there may be."""
    kept = [Path(f"0.log.2026010{day}-000000") for day in (3, 1, 4, 2)]
    assert [path.name for path in superfluous(kept, 3)] == ["0.log.20260101-000000", "0.log.20260102-000000"]
    assert not superfluous(kept, 5)
