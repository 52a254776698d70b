"""From what a request carries to who sent it. There is no anonymous user: nobody known means 401."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

from kubewire.apiserver.contracts import Identity
from kubewire.machinery import errors

ALL_AUTHENTICATED: Final = "system:authenticated"
"""The group everyone belongs to whom an authenticator knows."""


class Credentials(NamedTuple):
    """What a face can tell about its peer.

    Attributes:
        bearer: the token of an `Authorization: Bearer` header; empty when there is none.
        common_name: subject CN of a client certificate that the TLS layer has verified; empty without one.
        organizations: subject O of the same certificate.
    """

    bearer: str = ""
    common_name: str = ""
    organizations: tuple[str, ...] = ()


class Authenticator(Protocol):
    """One way to know a caller."""

    def identify(self, credentials: Credentials) -> Identity | None:
        """Who it is; None when these credentials are not of this kind or not known."""
        ...


class Authentication:
    """Authenticators in the order in which they are asked; the first that knows the caller decides."""

    def __init__(self, authenticators: Sequence[Authenticator]) -> None:
        self._authenticators = tuple(authenticators)

    def identify(self, credentials: Credentials) -> Identity:
        """The caller, as a member of `system:authenticated`.

        Raises:
            StatusError: 401, when no authenticator knows the caller.
        """
        for authenticator in self._authenticators:
            identity = authenticator.identify(credentials)
            if identity is not None:
                return identity
        raise errors.unauthorized("Unauthorized")


class CertificateAuthenticator:
    """Verified client certificates: the common name is the user, organizations are groups."""

    def __init__(self) -> None:
        # Connections live long and send many requests: one Identity per subject. Only subjects signed by the
        # cluster's CA come here, which bounds it.
        self._known: dict[Credentials, Identity] = {}

    def identify(self, credentials: Credentials) -> Identity | None:
        """The certificate's subject; None without a certificate."""
        if not credentials.common_name:
            return None
        subject = credentials._replace(bearer="")
        identity = self._known.get(subject)
        if identity is None:
            identity = self._known[subject] = as_member(subject.common_name, groups=subject.organizations)
        return identity


def as_member(name: str, *, uid: str = "", groups: Sequence[str] = ()) -> Identity:
    """An authenticated user: the groups given and `system:authenticated`."""
    return Identity(name=name, uid=uid, groups=tuple(dict.fromkeys((*groups, ALL_AUTHENTICATED))))


def bearer_token(header: str | None) -> str:
    """The token of an `Authorization` header; empty when it is missing or of another scheme."""
    if not header:
        return ""
    scheme, _, token = header.strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
