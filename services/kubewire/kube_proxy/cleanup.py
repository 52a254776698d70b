"""Removing everything that any mode has programmed in this network namespace."""

from __future__ import annotations

from dataclasses import replace

from kubewire.kube_proxy.config import KubeProxyConfig
from kubewire.kube_proxy.table import MODES


async def clean_up(config: KubeProxyConfig) -> None:
    """Leave nothing of ours; what others have programmed stays. Doing it twice is harmless.

    Raises:
        BackendNotUsable: rules cannot be looked at here.
        BackendFailed: they cannot be removed.
    """
    for mode, open_mode in MODES.items():
        edge = open_mode(replace(config, mode=mode))  # type: ignore[arg-type]  # keys of the table are the modes
        try:
            await edge.backend.clear()
        finally:
            edge.close()
