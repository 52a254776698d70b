"""`exec`: a command in the container; its exit code 0 is a success."""

from __future__ import annotations

import asyncio
from typing import Final

from kubewire.api.core.v1.container_pb2 import Container
from kubewire.api.core.v1.probe_pb2 import ExecAction
from kubewire.kubelet.contracts import ContainerExec
from kubewire.kubelet.environment.expansion import expand_words, written_values
from kubewire.kubelet.errors import RuntimeCallError
from kubewire.kubelet.probes.reply import OUTPUT_AT_MOST, SUCCESS, ProbeError, Reply, failure

_RUNTIME_GRACE_SECONDS: Final = 10.0


async def exec_command(
    action: ExecAction, container: Container, container_id: str, timeout_seconds: float, runs: ContainerExec
) -> Reply:
    """Run the command; `$(NAME)` in it stands for variables whose values the spec itself has.

    Raises:
        ProbeError: the runtime could not run it.
    """
    command = expand_words(action.command, written_values(container.env))
    try:
        # The runtime keeps the time; one that hangs must not end the probing.
        async with asyncio.timeout(timeout_seconds + _RUNTIME_GRACE_SECONDS):
            result = await runs.exec_sync(container_id, command, timeout_seconds)
    except TimeoutError:
        return failure(f"command timed out: {' '.join(command)!r} did not end within {timeout_seconds:g}s")
    except RuntimeCallError as error:
        raise ProbeError(str(error)) from None
    if result.exit_code == 0:
        return SUCCESS
    return failure(result.output[:OUTPUT_AT_MOST].decode(errors="replace"))
