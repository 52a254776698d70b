"""etcd's messages for the seam's writes."""

from kubewire.apiserver.storage.requests import changes_of, entry_of, guarded_delete, guarded_put, read_on_failure
from kubewire.apiserver.storage.store import Change, Entry
from kubewire.etcd.kv_pb2 import Event, KeyValue
from kubewire.etcd.rpc_pb2 import Compare, RangeResponse, ResponseOp, TxnResponse


def test_guarded_put() -> None:
    """A put is guarded by the key's mod revision, and the failure branch reads the key."""
    request = guarded_put(b"k", b"v", 7, lease=5)
    (guard,) = request.compare
    assert (guard.target, guard.result, guard.key, guard.mod_revision) == (Compare.MOD, Compare.EQUAL, b"k", 7)
    assert request.success[0].request_put.value == b"v"
    assert request.success[0].request_put.lease == 5
    assert request.failure[0].request_range.key == b"k"


def test_create_compares_with_zero() -> None:
    """Zero is sent as such: a guard without a value would compare with nothing."""
    (guard,) = guarded_put(b"k", b"v", 0).compare
    assert guard.WhichOneof("target_union") == "mod_revision"


def test_guarded_delete() -> None:
    """A deletion is guarded likewise and touches one key."""
    request = guarded_delete(b"k", 7)
    assert request.compare[0].mod_revision == 7
    assert request.success[0].request_delete_range.range_end == b""


def test_failure_branch() -> None:
    """The failure branch tells the entry that is there, or that there is none."""
    kv = KeyValue(key=b"k", value=b"v", mod_revision=5, create_revision=3)
    found = TxnResponse(responses=[ResponseOp(response_range=RangeResponse(kvs=[kv]))])
    nothing = TxnResponse(responses=[ResponseOp(response_range=RangeResponse())])
    assert read_on_failure(found) == entry_of(kv) == Entry(b"k", b"v", 5, 3)
    assert read_on_failure(nothing) is None


def test_changes() -> None:
    """Events become changes; those up to the revision seen are left out."""
    put = Event(kv=KeyValue(key=b"a", value=b"1", mod_revision=4, create_revision=4))
    change = Event(
        kv=KeyValue(key=b"a", value=b"2", mod_revision=5, create_revision=4),
        prev_kv=KeyValue(key=b"a", value=b"1", mod_revision=4, create_revision=4),
    )
    delete = Event(type=Event.DELETE, kv=KeyValue(key=b"a", mod_revision=6))
    assert changes_of([put, change, delete], 4) == [
        Change(b"a", b"2", 5, Entry(b"a", b"1", 4, 4), 4),
        Change(b"a", None, 6, None, 0),
    ]
