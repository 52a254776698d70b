"""What the machine itself allows, measured in the same run: guarded etcd transactions from one client."""

from __future__ import annotations

import asyncio
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc.aio

from kubewire.cluster.etcd_program import CLIENT_SOCKET, arguments, find_etcd
from kubewire.etcd import rpc_pb2 as etcd
from tests.benchmarks.report import Row

Transaction = grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]


@contextmanager
def _running_etcd() -> Iterator[Path]:
    """The etcd that a cluster would run, with the same arguments (it waits for the disk); its client socket."""
    with tempfile.TemporaryDirectory(prefix="kw-bench-") as folder:
        command = arguments(find_etcd(), Path(folder) / "data")
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield Path(folder) / CLIENT_SOCKET
        finally:
            process.terminate()
            process.wait(10)


async def transactions() -> AsyncIterator[Row]:
    """Creates of 1 kB values, guarded by "does not exist", against an etcd of its own on the same disk."""
    with _running_etcd() as socket:
        channel = grpc.aio.insecure_channel(f"unix:{socket}")
        await asyncio.wait_for(channel.channel_ready(), 10)
        call: Transaction = channel.unary_unary("/etcdserverpb.KV/Txn")
        for in_flight in (16, 256):
            rate = await _transactions(call, f"k{in_flight}", 4000, in_flight)
            yield Row(f"machine: guarded etcd transactions, {in_flight} in flight", rate, "/s")
        await channel.close()


def _create(key: bytes) -> bytes:
    guard = etcd.Compare(key=key, target=etcd.Compare.MOD, result=etcd.Compare.EQUAL, mod_revision=0)
    put = etcd.RequestOp(request_put=etcd.PutRequest(key=key, value=b"v" * 1000))
    return etcd.TxnRequest(compare=[guard], success=[put]).SerializeToString()


async def _transactions(call: Transaction, prefix: str, count: int, in_flight: int) -> float:
    requests = iter([_create(f"/bench/{prefix}/{number}".encode()) for number in range(count)])

    async def work() -> None:
        for request in requests:
            await call(request, timeout=30)

    begun = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(in_flight):
            group.create_task(work())
    return count / (time.perf_counter() - begun)
