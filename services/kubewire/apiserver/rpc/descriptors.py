"""Where reflection finds the descriptors of what the API server serves."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubewire.component.grpc.descriptors import Index


def index() -> Index:
    """From full names of messages and services to modules; loaded when somebody first asks."""
    from kubewire.api.index import MESSAGES as API  # noqa: PLC0415
    from kubewire.rpc.index import MESSAGES as REQUESTS  # noqa: PLC0415
    from kubewire.rpc.index import SERVICES  # noqa: PLC0415

    return {**API, **REQUESTS, **SERVICES}
