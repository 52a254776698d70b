"""Records are Leases to the microsecond."""

from kubewire.api.coordination.v1.lease_pb2 import Lease
from kubewire.client.leader_election.record import Record, read, write


def test_records_are_read_as_written() -> None:
    """Other fields of the Lease stay."""
    lease = Lease()
    lease.spec.strategy = "OldestEmulationVersion"
    record = Record("a", 15, 1_700_000_000.123456, 1_700_000_002.999999, 7)
    write(lease, record)
    assert read(lease) == record
    assert lease.spec.acquireTime.nanos == 123_456_000
    assert lease.spec.strategy == "OldestEmulationVersion"


def test_an_empty_lease_has_no_holder() -> None:
    """What is not set is empty or zero."""
    assert read(Lease()) == Record("", 0, 0, 0, 0)
