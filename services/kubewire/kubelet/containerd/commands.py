"""Commands that are run to their end, for probes and for hooks of the life cycle."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from kubewire.kubelet.containerd.execution import Execution, Executions
from kubewire.kubelet.containerd.pipes import Streams
from kubewire.kubelet.contracts import ExecResult

OUTPUT_BYTES: Final = 16 * 1024
_STREAMS: Final = Streams(stdout=True, merged=True)


class Commands:
    """Implements `ContainerExec`."""

    def __init__(self, executions: Executions) -> None:
        self._executions = executions

    async def exec_sync(self, container_id: str, command: Sequence[str], timeout_seconds: float) -> ExecResult:
        """See `ContainerExec`."""
        async with (
            asyncio.timeout(timeout_seconds),
            self._executions.running(container_id, command, _STREAMS) as execution,
        ):
            exit_code, output = await asyncio.gather(execution.wait(), _output(execution))
            return ExecResult(exit_code, output)


async def _output(execution: Execution) -> bytes:
    """All it writes is read, or it would stop; the beginning is kept."""
    assert execution.stdout is not None
    kept = b""
    while data := await execution.stdout.read():
        if len(kept) < OUTPUT_BYTES:
            kept += data[: OUTPUT_BYTES - len(kept)]
    return kept
