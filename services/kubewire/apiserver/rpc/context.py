"""What a call carries besides its request."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubewire.apiserver.contracts import Identity


@dataclass(slots=True)
class RpcContext:
    """Who calls and why.

    There is no deadline here: whoever calls cancels the task when it passes, over gRPC the library does.

    Attributes:
        user_agent: of the client; its first word is the default field manager.
        cause: which object version made the caller act, `kind/namespace/name@version`.
        warnings: filled while the call is served; over gRPC they are trailing metadata.
    """

    identity: Identity
    user_agent: str = ""
    cause: str = ""
    warnings: list[str] = field(default_factory=list)
