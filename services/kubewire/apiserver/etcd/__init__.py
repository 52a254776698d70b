"""A thin asyncio client of etcd's own gRPC API, the only code that knows etcd's wire.

It adds nothing to etcd's model: requests and answers are etcd's messages. What it owns is the part every
caller would get wrong alone: several members, deadlines, which failures may be retried, and watches whose
revisions arrive whole.
"""
