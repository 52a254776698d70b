"""Lifecycle hooks: a command in the container, an HTTP request to it, or a pause."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from kubewire.api.core.v1.container_pb2 import Container
from kubewire.api.core.v1.probe_pb2 import LifecycleHandler
from kubewire.kubelet.contracts import ContainerExec
from kubewire.kubelet.environment.expansion import expand_words, written_values
from kubewire.kubelet.errors import HookError, RuntimeCallError
from kubewire.kubelet.probes.http_get import http_get
from kubewire.kubelet.probes.reply import Outcome, ProbeError

_OUTPUT_SHOWN: Final = 512


async def run_hook(
    handler: LifecycleHandler, container: Container, container_id: str, host: str, seconds: float, runs: ContainerExec
) -> None:
    """Run it to its end.

    Raises:
        HookError: it failed, or took longer than `seconds`.
    """
    try:
        async with asyncio.timeout(seconds):
            if handler.HasField("exec"):
                words = expand_words(_command(handler), written_values(container.env))
                await _run(words, container_id, seconds, runs)
            elif handler.HasField("httpGet"):
                reply = await http_get(handler.httpGet, container, host, seconds)
                if reply.outcome is not Outcome.SUCCESS:
                    raise HookError(reply.output)
            elif handler.HasField("sleep"):
                await asyncio.sleep(handler.sleep.seconds)
    except TimeoutError:
        raise HookError(f"took longer than {seconds:g} s") from None
    except ProbeError as error:
        raise HookError(str(error)) from None


def _command(handler: LifecycleHandler) -> Sequence[str]:
    return list(getattr(handler, "exec").command)  # noqa: B009 - a name that was a keyword of Python 2


async def _run(words: Sequence[str], container_id: str, seconds: float, runs: ContainerExec) -> None:
    try:
        result = await runs.exec_sync(container_id, words, seconds)
    except RuntimeCallError as error:
        raise HookError(str(error)) from None
    if result.exit_code:
        said = result.output.decode(errors="replace").strip()[:_OUTPUT_SHOWN]
        raise HookError(f"command '{' '.join(words)}' exited with {result.exit_code}: {said}")
