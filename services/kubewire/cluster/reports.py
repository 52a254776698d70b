"""How a starting control plane tells the command that waits for it how far it is: lines on a pipe."""

from __future__ import annotations

import os

REPORT_ENVIRONMENT = "KUBEWIRE_REPORT_DESCRIPTOR"
READY = "ready"
FAILED = "failed: "


class Reports:
    """The writing end. Without a pipe (started by hand) it says nothing."""

    def __init__(self) -> None:
        descriptor = os.environ.pop(REPORT_ENVIRONMENT, None)
        self._descriptor = int(descriptor) if descriptor else None
        if self._descriptor is not None:
            os.set_inheritable(self._descriptor, False)  # etcd must not hold it open

    def step(self, text: str) -> None:
        """One step done, one line."""
        if self._descriptor is not None:
            try:
                os.write(self._descriptor, text.replace("\n", " ").encode() + b"\n")
            except BrokenPipeError:  # nobody waits any more
                self._close()

    def ready(self) -> None:
        """The last report of a start that worked."""
        self.step(READY)
        self._close()

    def failed(self, reason: str) -> None:
        """The last report of one that did not."""
        self.step(FAILED + reason)
        self._close()

    def _close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
