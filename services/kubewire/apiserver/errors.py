"""Where the API server's errors are drawn, each in the package that raises it.

    etcd/errors.py       EtcdError      what etcd's client met: done, not done, or unknown
    storage/errors.py    StorageError   the same in terms of keys, whatever the store is
    machinery.errors     StatusError    what callers get; the core translates once, the faces send it as it is
    component.errors     StartError     the process cannot start as it was asked to

This module adds the one of its own wiring.
"""

from __future__ import annotations

from kubewire.component.errors import StartError


class StoreNotReached(StartError):
    """etcd did not answer before the server's patience ended; starting again later may help."""
