"""How the cache behaves: one frozen section of the API server's configuration, times in seconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CacheOptions:
    """Bounds and intervals; the defaults are Kubernetes' where it has one."""

    barrier_timeout_seconds: float = 10.0
    """How long a linearizable read may wait for the store's answer and for the cache to get there."""

    stall_seconds: float = 0.02
    """How long the cache may lag behind a read before the progress key is written."""

    version_wait_seconds: float = 3.0
    """How long a request for a version not seen yet waits before it is told that the version is too large."""

    bookmark_seconds: float = 60.0
    """Interval of bookmarks."""

    history_seconds: float = 300.0
    """Age at which events leave the history: the store forgets them then as well."""

    backlog_revisions: int = 3000
    """How far behind the store's revision the cache starts. What happened since is replayed, so that clients that
    watched another server, or this one before its restart, can resume from memory."""

    page_size: int = 500
    """Keys of the first read of a load; later ones are sized by what the first weighed."""
