"""Times that cannot work are refused."""

import pytest

from kubewire.client.leader_election.config import ElectionConfig


@pytest.mark.parametrize(
    ("lease", "renew", "retry", "field"),
    [
        (10, 10, 2, "lease_seconds"),
        (15, 2, 2, "renew_deadline_seconds"),
        (15.5, 10, 2, "lease_seconds"),
        (15, 10, 0, "retry_seconds"),
        (0, -1, -2, "lease_seconds"),
    ],
)
def test_impossible_times(lease: float, renew: float, retry: float, field: str) -> None:
    """The message names the field."""
    with pytest.raises(ValueError, match=field):
        ElectionConfig(lease, renew, retry)
