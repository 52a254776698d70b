"""Starting a cluster, and repairing one of which parts are gone.

Every step looks at what is there and does what is missing, so that a second `up`, or one after a crash half way, is
the same walk. The supervisor is told what is wanted in two or three waves: etcd first, since it needs most time; the
API server as soon as it has an address to listen on; everything else once the API answers.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from kubewire.cluster import state
from kubewire.cluster.errors import ClusterError, InvalidRequest
from kubewire.cluster.home import Home
from kubewire.cluster.ports import claim
from kubewire.cluster.settings import Asked, chosen, ports_of, require_same
from kubewire.cluster.start import Start
from kubewire.cluster.teardown import end_everything


@dataclass(frozen=True, slots=True)
class UpOptions:
    """What `kubewire up` may be asked for, and how long it may take."""

    asked: Asked = Asked()  # noqa: RUF009  # frozen
    wait_seconds: float = 60.0


@contextmanager
def exclusive(home: Home) -> Iterator[None]:
    """Only one command at a time may change a cluster.

    Raises:
        InvalidRequest: another command is at it.
    """
    home.create()
    with home.lock.open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InvalidRequest(f"another command is changing cluster {home.name!r}: wait for it") from None
        yield


def up(home: Home, options: UpOptions, progress: Callable[[str], None]) -> state.ClusterState:
    """Start the cluster, or what is missing of it, wait until it is ready, and say what runs.

    Raises:
        InvalidRequest, MissingProgram: it cannot be started like this.
        StartFailed: a part ended or was not ready in time; of a cluster that did not run nothing is left running.
    """
    with exclusive(home):
        deadline = time.monotonic() + options.wait_seconds
        found = state.read(home)
        if found is not None and _is_the_one(found, options.asked):
            return _repair(home, found, progress, deadline)
        end_everything(home)
        settings, claims = chosen(home.name, options.asked, progress)
        try:
            return Start(home, settings, progress, deadline).run(claims)
        except BaseException:
            end_everything(home)
            raise


def _is_the_one(found: state.ClusterState, asked: Asked) -> bool:
    """Whether what was started once and not ended is what is asked for.

    Its processes may be gone, by a crash or the machine's new start; then its containers may run on all the same.

    Raises:
        InvalidRequest: it runs, and is another one.
    """
    try:
        require_same(found.settings, asked)
    except InvalidRequest:
        if found.is_running:
            raise
        return False
    return True


def _repair(
    home: Home, found: state.ClusterState, progress: Callable[[str], None], deadline: float
) -> state.ClusterState:
    """All that was started and does not run is started again, what was stopped on purpose too."""
    missing = [name for name, one in found.components.items() if not one.is_alive]
    if found.is_whole and not missing:
        return found
    progress(f"not running: {', '.join(missing) or 'the supervisor'}; starting again")
    try:
        claims = claim(ports_of(found.settings))
        return Start(home, found.settings, progress, deadline).run(claims)
    except ClusterError as error:
        raise type(error)(f"{error}\nwhat runs goes on; `kubewire down` ends it") from None
