"""Where the scheduler's errors are drawn.

    machinery.errors      StatusError        what the API server answered; a pod whose bind failed is tried again
    client.leadership     NotLeading         the lead was lost: nothing is written any more
    component.errors      StartError         the process cannot start as it was asked to

A pod that fits nowhere is no error but a decision (`decision/diagnosis.py`).
"""

from __future__ import annotations

from kubewire.component.errors import StartError


class AddressNotListenedOn(StartError):
    """A port of the scheduler's own is taken, or the address is none of this machine's."""
