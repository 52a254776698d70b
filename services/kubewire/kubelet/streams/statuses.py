"""How a command's end is told: a Status, as clients of Kubernetes look for it on their error channel."""

from __future__ import annotations

from typing import Final

from kubewire.api.meta.v1.object_meta_pb2 import ListMeta
from kubewire.api.meta.v1.status_pb2 import Status, StatusCause, StatusDetails

EXIT_CODE: Final = "ExitCode"
NON_ZERO: Final = "NonZeroExitCode"


def of_exit(code: int) -> Status:
    """Success, or a failure whose cause has the code."""
    if code == 0:
        return Status(metadata=ListMeta(), status="Success")
    return Status(
        metadata=ListMeta(),
        status="Failure",
        reason=NON_ZERO,
        message=f"command terminated with non-zero exit code: exit status {code}",
        details=StatusDetails(causes=[StatusCause(reason=EXIT_CODE, message=str(code))]),
    )
