"""`kubewire-apiserver`: the API server as a process of its own."""

from __future__ import annotations

import asyncio
import sys

from kubewire.apiserver.config import ApiServerConfig
from kubewire.component import log
from kubewire.component.config import load
from kubewire.component.errors import ConfigError
from kubewire.component.lifecycle import run_process


def main() -> None:
    """Run until SIGTERM; exit code 2 if it cannot start, 1 if a part failed."""
    try:
        config = load(ApiServerConfig, "apiserver", sys.argv[1:])
    except ConfigError as error:
        sys.exit(f"kubewire-apiserver: {error}")
    log.configure(level=config.log_level, form=config.log_format)

    async def run(stop: asyncio.Event) -> None:
        from kubewire.apiserver.app import ApiServer  # noqa: PLC0415 - wrong settings are told before loading all parts

        await ApiServer(config).run(stop)

    sys.exit(run_process(run))


if __name__ == "__main__":
    main()
