"""The gRPC face: every typed service and the ObjectService, over the same `Objects` as REST.

Bytes in, bytes out: a request's fields are read by number (`request`), its object stays bytes, and answers are joined
from the bytes the cache holds (`forms`, `pages`, `events`). `methods` says what each method means, `dispatcher` serves
them to whoever has the bytes (a client in the same process too), and `server` puts grpc.aio in front.
"""
