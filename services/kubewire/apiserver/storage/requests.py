"""etcd's messages for guarded writes and pages, and changes from its events. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from kubewire.apiserver.storage.store import Change, Entry
from kubewire.etcd import kv_pb2
from kubewire.etcd import rpc_pb2 as pb


def guarded_put(key: bytes, value: bytes, expected_revision: int, lease: int = 0) -> pb.TxnRequest:
    """Write `key` if it was last written at `expected_revision` (0: if it does not exist), else read it."""
    put = pb.PutRequest(key=key, value=value, lease=lease)
    return _guarded(key, expected_revision, pb.RequestOp(request_put=put))


def guarded_delete(key: bytes, expected_revision: int) -> pb.TxnRequest:
    """Delete `key` if it was last written at `expected_revision`, else read it."""
    delete = pb.DeleteRangeRequest(key=key)
    return _guarded(key, expected_revision, pb.RequestOp(request_delete_range=delete))


def _guarded(key: bytes, expected_revision: int, write: pb.RequestOp) -> pb.TxnRequest:
    guard = pb.Compare(
        target=pb.Compare.CompareTarget.MOD,
        result=pb.Compare.CompareResult.EQUAL,
        key=key,
        mod_revision=expected_revision,
    )
    read = pb.RequestOp(request_range=pb.RangeRequest(key=key))
    return pb.TxnRequest(compare=[guard], success=[write], failure=[read])


def entry_of(kv: kv_pb2.KeyValue) -> Entry:
    """An entry as the seam has it."""
    return Entry(kv.key, kv.value, kv.mod_revision, kv.create_revision)


def read_on_failure(answer: pb.TxnResponse) -> Entry | None:
    """What the failure branch of a guarded write found."""
    found = answer.responses[0].response_range.kvs
    return entry_of(found[0]) if found else None


def changes_of(events: Iterable[kv_pb2.Event], after_revision: int) -> list[Change]:
    """Changes of events later than `after_revision`."""
    changes = []
    for event in events:
        kv = event.kv
        revision = kv.mod_revision
        if revision > after_revision:
            previous = entry_of(event.prev_kv) if event.HasField("prev_kv") else None
            value = None if event.type else kv.value
            changes.append(Change(kv.key, value, revision, previous, kv.create_revision))
    return changes
