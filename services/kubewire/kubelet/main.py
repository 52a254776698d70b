"""`kubewire-kubelet`: the kubelet as a process of its own."""

from __future__ import annotations

import asyncio
import sys

from kubewire.component import log
from kubewire.component.config import load
from kubewire.component.errors import ConfigError
from kubewire.component.lifecycle import run_process
from kubewire.kubelet.config import KubeletConfig


def main() -> None:
    """Run until SIGTERM; exit code 2 if it cannot start, 1 if a part failed."""
    try:
        config = load(KubeletConfig, "kubelet", sys.argv[1:])
    except ConfigError as error:
        sys.exit(f"kubewire-kubelet: {error}")
    log.configure(level=config.log_level, form=config.log_format)

    async def run(stop: asyncio.Event) -> None:
        # Wrong settings are told before all parts are loaded.
        from kubewire.kubelet.app import Kubelet  # noqa: PLC0415
        from kubewire.kubelet.connection import connect  # noqa: PLC0415

        transport = connect(config)
        try:
            await Kubelet(config, transport).run(stop)
        finally:
            await transport.close()

    sys.exit(run_process(run))


if __name__ == "__main__":
    main()
