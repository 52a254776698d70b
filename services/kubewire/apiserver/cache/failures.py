"""The answers a cache gives when it cannot serve, in Kubernetes' words: clients act on them.

They are `StatusError`s, since both faces pass them on as they are.
"""

from __future__ import annotations

from kubewire.apiserver.storage.errors import Compacted, StorageError, StoreTimeout
from kubewire.machinery import errors
from kubewire.machinery.errors import Cause, Details, Reason, StatusError


def watch_expired(asked: int, oldest: int) -> StatusError:
    """A watch from a version whose history is gone."""
    return errors.expired(f"too old resource version: {asked} ({oldest})")


def watch_history_lost() -> StatusError:
    """A running watch whose history is gone, because the store moved on while it could not be followed."""
    return errors.expired("The resourceVersion for the provided watch is too old.")


def list_expired() -> StatusError:
    """A list at an exact version that is gone."""
    return errors.expired("The resourceVersion for the provided list is too old.")


def continue_expired(inconsistent_token: str) -> StatusError:
    """A continued list whose version is gone; with the token it may go on with what there is now."""
    return errors.expired(
        "The provided continue parameter is too old to display a consistent list result. You can start a new list "
        "without the continue parameter, or use the continue token in this response to retrieve the remainder of the "
        "results. Continuing with the provided token results in an inconsistent list - objects that were created, "
        "modified, or deleted between the time the first chunk was returned and now may show up in the list.",
        inconsistent_token,
    )


def continue_invalid(why: str) -> StatusError:
    """A continue token that is not one of ours."""
    return errors.bad_request(f"invalid continue token: {why}")


def not_filled() -> StatusError:
    """A read while the cache is being filled."""
    return errors.too_many_requests("storage is (re)initializing", 1)


def version_too_large(asked: int, current: int) -> StatusError:
    """A version the cache has not seen and did not come to see within the time it waits."""
    cause = Cause("ResourceVersionTooLarge", "Too large resource version")
    return StatusError(
        504,
        Reason.TIMEOUT,
        f"Timeout: Too large resource version: {asked}, current: {current}",
        Details(causes=(cause,), retry_after_seconds=1),
    )


def too_slow() -> StatusError:
    """A watcher that did not take its events in time; it loses nothing by watching on from its last version."""
    return errors.service_unavailable("the watcher was too slow; watch on from the last version it saw")


def not_caught_up(waited_seconds: float) -> StatusError:
    """A linearizable read that could not be told to be up to date."""
    return errors.timeout(f"the cache did not catch up with the store within {waited_seconds:g} s", 1)


def store_failed(error: StorageError) -> StatusError:
    """A read that needed the store, and what became of it."""
    if isinstance(error, Compacted):
        return list_expired()
    if isinstance(error, StoreTimeout):
        return errors.timeout(f"the store did not answer: {error}", 1)
    return errors.service_unavailable(f"the store is not available: {error}")
