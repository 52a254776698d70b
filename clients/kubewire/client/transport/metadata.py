"""Names of what travels beside a request: gRPC metadata, which servers read and clients write."""

from __future__ import annotations

from typing import Final

AUTHORIZATION: Final = "authorization"
"""`Bearer <token>`."""

CAUSE: Final = "kubewire-cause"
"""Which object version made the caller act: `Kind/namespace/name@version`, percent-encoded where it is not ASCII."""

WARNING: Final = "kubewire-warning"
"""Trailing: something the caller should know although the call succeeded; one entry each, percent-encoded."""
