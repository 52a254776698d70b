"""Failures that no rule foresaw: written to the log, and hidden from the caller."""

from __future__ import annotations

import secrets
from typing import Final

from kubewire.component.log import Logger
from kubewire.machinery import errors
from kubewire.machinery.errors import StatusError

_LOG: Final = Logger("apiserver.rpc")


def hide(error: Exception, method: str) -> StatusError:
    """The error the caller gets: it names the entry in the log and nothing of the inside."""
    incident = secrets.token_hex(4)
    _LOG.exception("request failed unexpectedly", error, method=method, incident=incident)
    return errors.internal(f"the server failed in a way it does not know; its log has it as incident {incident}")
