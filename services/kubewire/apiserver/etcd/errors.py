"""What can go wrong between us and etcd, and whether asking again helps.

    EtcdError
    ├── Unavailable          no member served it and nothing was done: ask again later
    │   └── NoAnswer         a read or a watch got no answer in time: ask again
    ├── OutcomeUnknown       a write was sent and its answer lost: it may or may not have been done
    ├── Refused              etcd said no; the same request will be refused again
    │   ├── RequestTooLarge  the value is over etcd's request limit
    │   ├── NoSpace          the database is over its quota: an operator must act
    │   └── LeaseNotFound    the lease expired or was revoked
    ├── RevisionCompacted    the revision's history is gone
    ├── RevisionInFuture     the revision has not happened yet
    └── WatchEnded           a watch cannot go on
        ├── WatchLost        its stream broke: watch again from the last revision seen
        └── WatchCancelled   etcd ended it and says why

After a write, every error but OutcomeUnknown means that it was not done and will not be.
"""

from __future__ import annotations


class EtcdError(Exception):
    """Any failure of a call to etcd."""


class Unavailable(EtcdError):
    """No member could serve the request, and nothing was done. A retry later helps."""


class NoAnswer(Unavailable):
    """A call without side effects got no answer within its deadline. A retry helps."""


class OutcomeUnknown(EtcdError):
    """A write was sent, but whether it was done cannot be told. Read the key before trying again."""


class Refused(EtcdError):
    """etcd refused the request itself; nothing was done and a retry will not help."""


class RequestTooLarge(Refused):
    """The request is over the member's size limit (1.5 MiB unless configured otherwise)."""


class NoSpace(Refused):
    """The database reached its quota; writes fail until an operator makes room."""


class LeaseNotFound(Refused):
    """The lease does not exist: it expired or was revoked."""


class RevisionCompacted(EtcdError):
    """The revision asked for was compacted away. `compact_revision` is the oldest one left, 0 if not told."""

    def __init__(self, message: str, compact_revision: int = 0) -> None:
        super().__init__(message)
        self.compact_revision = compact_revision


class RevisionInFuture(EtcdError):
    """The revision asked for has not been reached by the member that answered."""


class WatchEnded(EtcdError):
    """A watch ended and delivers nothing any more."""


class WatchLost(WatchEnded):
    """The stream broke or its member has no leader. Watching on from the last revision seen loses nothing."""


class WatchCancelled(WatchEnded):
    """etcd ended the watch; the message carries its reason."""
