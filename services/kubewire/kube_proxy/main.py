"""`kubewire-kube-proxy`: the proxy of a node as a process of its own, in the node's network namespace."""

from __future__ import annotations

import asyncio
import sys

from kubewire.component import log
from kubewire.component.config import load
from kubewire.component.errors import ConfigError
from kubewire.component.lifecycle import run_process
from kubewire.kube_proxy.config import KubeProxyConfig


def main() -> None:
    """Run until SIGTERM; exit code 2 if it cannot start, 1 if a part failed."""
    try:
        config = load(KubeProxyConfig, "kube_proxy", sys.argv[1:])
    except ConfigError as error:
        sys.exit(f"kubewire-kube-proxy: {error}")
    log.configure(level=config.log_level, form=config.log_format)

    async def run(stop: asyncio.Event) -> None:
        # Wrong settings are told before all parts are loaded.
        if config.cleanup:
            from kubewire.kube_proxy.cleanup import clean_up  # noqa: PLC0415

            await clean_up(config)
            return
        from kubewire.kube_proxy.app import KubeProxy  # noqa: PLC0415
        from kubewire.kube_proxy.connection import connect  # noqa: PLC0415

        transport = connect(config)
        try:
            await KubeProxy(config, transport).run(stop)
        finally:
            await transport.close()

    sys.exit(run_process(run))


if __name__ == "__main__":
    main()
