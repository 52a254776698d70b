"""The client: every call with a deadline, asked of one member and, when that is safe, of the next.

Safe are calls that change nothing, and writes that certainly were not sent or not proposed. A write whose answer was
lost is never sent again from here: whether that is safe depends on its guard, which only the caller knows.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import grpc.aio

from kubewire.apiserver.etcd import methods
from kubewire.apiserver.etcd.endpoint import Endpoint, Endpoints
from kubewire.apiserver.etcd.errors import EtcdError, LeaseNotFound, NoAnswer, Unavailable, WatchLost
from kubewire.apiserver.etcd.methods import Method, Request, Response
from kubewire.apiserver.etcd.options import EtcdOptions
from kubewire.apiserver.etcd.translate import meaning_of
from kubewire.apiserver.etcd.watch import CREATED_TIMEOUT_SECONDS, EtcdWatch, WatchSpec
from kubewire.etcd import rpc_pb2 as pb

_PAUSE_FIRST_SECONDS = 0.02
_PAUSE_MAX_SECONDS = 0.5


class EtcdClient:
    """Calls etcd's members. Made inside a running loop; close it when done.

    Every method takes etcd's own request and returns its answer, and may raise any `EtcdError`;
    `timeout_seconds` bounds the whole of it, retries included.
    """

    def __init__(self, options: EtcdOptions) -> None:
        self._options = options
        self._endpoints = Endpoints([Endpoint(url, options) for url in options.endpoints])
        self._is_closed = False
        # A read leaves time to ask another member; a write that got no answer is lost anyway.
        self._write_seconds = options.request_timeout_seconds
        is_alone = len(self._endpoints) == 1
        self._read_seconds = options.request_timeout_seconds if is_alone else options.attempt_timeout_seconds

    async def range(self, request: pb.RangeRequest, timeout_seconds: float | None = None) -> pb.RangeResponse:
        """Read keys; linearizable unless the request says `serializable`."""
        return await self._call(methods.RANGE, request, timeout_seconds)

    async def put(self, request: pb.PutRequest, timeout_seconds: float | None = None) -> pb.PutResponse:
        """Write one key."""
        return await self._call(methods.PUT, request, timeout_seconds)

    async def delete_range(
        self, request: pb.DeleteRangeRequest, timeout_seconds: float | None = None
    ) -> pb.DeleteRangeResponse:
        """Delete keys, all at one revision."""
        return await self._call(methods.DELETE_RANGE, request, timeout_seconds)

    async def txn(self, request: pb.TxnRequest, timeout_seconds: float | None = None) -> pb.TxnResponse:
        """Compare, then do one of two lists of operations."""
        return await self._call(methods.TXN, request, timeout_seconds)

    async def compact(
        self, revision: int, *, physical: bool = False, timeout_seconds: float | None = None
    ) -> pb.CompactionResponse:
        """Drop history before `revision`; `physical` waits until it is off the disk."""
        request = pb.CompactionRequest(revision=revision, physical=physical)
        return await self._call(methods.COMPACT, request, timeout_seconds)

    async def lease_grant(
        self, ttl_seconds: int, *, lease: int = 0, timeout_seconds: float | None = None
    ) -> pb.LeaseGrantResponse:
        """Make a lease; etcd chooses its number unless `lease` gives one."""
        request = pb.LeaseGrantRequest(TTL=ttl_seconds, ID=lease)
        return await self._call(methods.LEASE_GRANT, request, timeout_seconds)

    async def lease_revoke(self, lease: int, timeout_seconds: float | None = None) -> pb.LeaseRevokeResponse:
        """End a lease; its keys are deleted at one revision."""
        return await self._call(methods.LEASE_REVOKE, pb.LeaseRevokeRequest(ID=lease), timeout_seconds)

    async def lease_time_to_live(
        self, lease: int, *, keys: bool = False, timeout_seconds: float | None = None
    ) -> pb.LeaseTimeToLiveResponse:
        """What is left of a lease (TTL -1: it is gone), and with `keys` what hangs on it."""
        request = pb.LeaseTimeToLiveRequest(ID=lease, keys=keys)
        return await self._call(methods.LEASE_TIME_TO_LIVE, request, timeout_seconds)

    async def lease_keep_alive(self, lease: int, timeout_seconds: float | None = None) -> int:
        """Renew a lease once; returns its seconds to live.

        Raises:
            LeaseNotFound: it expired or was revoked.
        """
        limit = self._options.request_timeout_seconds if timeout_seconds is None else timeout_seconds
        call = self._endpoints.current.stream(methods.LEASE_KEEP_ALIVE)
        try:
            async with asyncio.timeout(limit):
                await call.write(pb.LeaseKeepAliveRequest(ID=lease))
                answer = await call.read()
        except TimeoutError:
            raise NoAnswer(f"lease {lease:x} was not renewed within {limit} s") from None
        except grpc.aio.AioRpcError as error:
            raise meaning_of(error, is_write=False) from None
        finally:
            call.cancel()
        if not isinstance(answer, pb.LeaseKeepAliveResponse):
            raise Unavailable("etcd ended the lease stream")
        if answer.TTL <= 0:
            raise LeaseNotFound(f"lease {lease:x} expired or was revoked")
        return answer.TTL

    async def member_list(self, timeout_seconds: float | None = None) -> pb.MemberListResponse:
        """The cluster's members, as a quorum knows them."""
        return await self._call(methods.MEMBER_LIST, pb.MemberListRequest(linearizable=True), timeout_seconds)

    async def status(self, timeout_seconds: float | None = None) -> pb.StatusResponse:
        """Version, size and leader, as the current member sees them."""
        return await self._call(methods.STATUS, pb.StatusRequest(), timeout_seconds)

    @asynccontextmanager
    async def watch(self, spec: WatchSpec, timeout_seconds: float | None = None) -> AsyncIterator[EtcdWatch]:
        """A confirmed watch, closed on leaving.

        Raises:
            RevisionCompacted: the start revision is gone.
            Unavailable: no member confirmed the watch in time.
        """
        limit = self._options.request_timeout_seconds if timeout_seconds is None else timeout_seconds
        watch = await self._open_watch(spec, limit)
        try:
            yield watch
        finally:
            await watch.close()

    async def close(self) -> None:
        """Ends every call, those that wait to be made again included."""
        self._is_closed = True
        await self._endpoints.close()

    async def _call(
        self, method: Method[Request, Response], request: Request, timeout_seconds: float | None
    ) -> Response:
        clock = asyncio.get_running_loop().time
        left = self._options.request_timeout_seconds if timeout_seconds is None else timeout_seconds
        deadline = clock() + left
        attempt = self._write_seconds if method.is_write else self._read_seconds
        failures = 0
        while True:
            endpoint = self._endpoints.current
            try:
                return await endpoint.unary(method)(request, timeout=min(left, attempt))
            except grpc.aio.AioRpcError as error:
                failure = meaning_of(error, is_write=method.is_write)
            failures += 1
            await self._recover(failure, endpoint, failures, deadline)
            left = deadline - clock()

    async def _open_watch(self, spec: WatchSpec, timeout_seconds: float) -> EtcdWatch:
        clock = asyncio.get_running_loop().time
        deadline = clock() + timeout_seconds
        failures = 0
        while True:
            endpoint = self._endpoints.current
            failure: EtcdError
            try:
                seconds = min(deadline - clock(), CREATED_TIMEOUT_SECONDS)
                return await EtcdWatch.open(endpoint.stream(methods.WATCH), spec, seconds)
            except grpc.aio.AioRpcError as error:
                failure = meaning_of(error, is_write=False)
            except (NoAnswer, WatchLost) as error:
                failure = Unavailable(str(error))
            failures += 1
            await self._recover(failure, endpoint, failures, deadline)

    async def _recover(self, failure: EtcdError, failed: Endpoint, failures: int, deadline: float) -> None:
        """Move on to the next member, after a pause once all were asked; raises what must not be retried."""
        if self._is_closed or not isinstance(failure, Unavailable):
            raise failure
        self._endpoints.leave(failed)
        round_, position = divmod(failures, len(self._endpoints))
        if position:
            return
        pause = min(_PAUSE_FIRST_SECONDS * 2**round_, _PAUSE_MAX_SECONDS)
        if asyncio.get_running_loop().time() + pause >= deadline:
            raise failure
        await asyncio.sleep(pause)
