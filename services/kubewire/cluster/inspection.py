"""Asking a local cluster how it is."""

from __future__ import annotations

import ssl
import time
import urllib.error
import urllib.request
from dataclasses import dataclass

from kubewire.cluster import processes, state
from kubewire.cluster.home import Home


@dataclass(frozen=True, slots=True)
class Health:
    """A running cluster as seen from outside. `detail` is the failing checks' text, empty when ready."""

    state: state.ClusterState
    is_ready: bool
    detail: str
    control_plane_bytes: int
    etcd_bytes: int


def inspect(home: Home, *, timeout_seconds: float = 5.0) -> Health:
    """Ask the API server's readiness over TLS, and the kernel for memory.

    Raises:
        NotRunning: there is nothing to ask.
    """
    found = state.running(home)
    is_ready, detail = _readiness(home, found, timeout_seconds)
    return Health(
        state=found,
        is_ready=is_ready,
        detail=detail,
        control_plane_bytes=processes.resident_bytes(found.control_plane),
        etcd_bytes=processes.resident_bytes(found.etcd),
    )


def _readiness(home: Home, found: state.ClusterState, timeout_seconds: float) -> tuple[bool, str]:
    trust = ssl.create_default_context(cafile=str(home.pki / "ca.crt"))
    request = urllib.request.Request(
        f"https://{found.rest}/readyz?verbose", headers={"Authorization": f"Bearer {home.token.read_text().strip()}"}
    )
    deadline = time.monotonic() + timeout_seconds
    try:
        with urllib.request.urlopen(request, timeout=max(0.1, deadline - time.monotonic()), context=trust):  # noqa: S310  # the scheme stands above
            return True, ""
    except urllib.error.HTTPError as error:
        return False, error.read().decode(errors="replace").strip()
    except OSError as error:
        return False, str(error)
