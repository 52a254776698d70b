"""gRPC calls over HTTP/2 on the event loop itself.

`frames` and `headers` are bytes, `flow` is bookkeeping, `connection` is the protocol, `channel` connects and offers
what `grpc.aio.Channel` offers of calls.

Every write of the API server is one call to etcd, and grpc.aio spends several times as much processor time on a call
as all of this (docs/adr/0016): its calls cross to a thread and back. What it does not do: compression, proxies, name
resolution beyond the system's, load balancing.
"""
