"""One of many acts: leadership by a Lease.

`election` decides without I/O, `elector` performs it on a Lease and runs the leader's work, `leadership` is what that
work holds: a token that fences its writes.
"""
