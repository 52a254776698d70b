"""What the token of a service account says, apart from how it is written and signed."""

from __future__ import annotations

from typing import Final, NamedTuple

PREFIX: Final = "system:serviceaccount:"
"""What the user names of service accounts begin with; the namespace and the name follow."""


class Named(NamedTuple):
    """An object by name and uid, as claims have it."""

    name: str
    uid: str


class Claims(NamedTuple):
    """What a token says.

    Attributes:
        issued_at, expires_at: Unix seconds.
        pod, secret: what it is bound to: it is worth nothing without it. `node`: where the pod runs, or, without
            a pod, what it is bound to.
        id: of the token itself.
    """

    namespace: str
    account: Named
    audiences: tuple[str, ...]
    issued_at: int
    expires_at: int
    id: str
    pod: Named | None = None
    secret: Named | None = None
    node: Named | None = None

    @property
    def user(self) -> str:
        """The user a bearer of the token is."""
        return f"{PREFIX}{self.namespace}:{self.account.name}"
