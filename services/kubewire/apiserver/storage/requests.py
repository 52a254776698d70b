"""etcd's messages for guarded writes and pages, and changes from its events. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from kubewire.apiserver.storage.store import Change, Entry
from kubewire.etcd import kv_pb2
from kubewire.etcd import rpc_pb2 as pb

_MOD: Final = pb.Compare.CompareTarget.MOD
_EQUAL: Final = pb.Compare.CompareResult.EQUAL


def guarded_put(key: bytes, value: bytes, expected_revision: int, lease: int = 0) -> pb.TxnRequest:
    """Write `key` if it was last written at `expected_revision` (0: if it does not exist), else read it."""
    request = _guarded(key, expected_revision)
    put = request.success.add().request_put
    put.key = key
    put.value = value
    if lease:
        put.lease = lease
    return request


def guarded_delete(key: bytes, expected_revision: int) -> pb.TxnRequest:
    """Delete `key` if it was last written at `expected_revision`, else read it."""
    request = _guarded(key, expected_revision)
    request.success.add().request_delete_range.key = key
    return request


def _guarded(key: bytes, expected_revision: int) -> pb.TxnRequest:
    """Filled in place: messages made apart and put together cost three times as much, and every write needs one."""
    request = pb.TxnRequest()
    guard = request.compare.add()
    guard.target = _MOD
    guard.result = _EQUAL
    guard.key = key
    guard.mod_revision = expected_revision
    request.failure.add().request_range.key = key
    return request


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
