"""Where the API server's errors are drawn, each in the package that raises it.

    etcd/errors.py       EtcdError      what etcd's client met: done, not done, or unknown
    storage/errors.py    StorageError   the same in terms of keys, whatever the store is
    machinery.errors     StatusError    what callers get; the core translates once, the faces send it as it is
    component.errors     StartError     the process cannot start as it was asked to

This module adds those of its own wiring, all of them StartErrors.
"""

from __future__ import annotations

from kubewire.component.errors import StartError


class StoreNotReached(StartError):
    """etcd did not answer before the server's patience ended; starting again later may help."""


class AddressNotListenedOn(StartError):
    """A port is taken, or an address is none of this machine's."""
