"""From what a request carries to who sent it. There is no anonymous user: nobody known means 401."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol, runtime_checkable

from kubewire.apiserver.contracts import Extra, Identity
from kubewire.machinery import errors

ALL_AUTHENTICATED: Final = "system:authenticated"
"""The group everyone belongs to whom an authenticator knows."""


class Credentials(NamedTuple):
    """What a face can tell about its peer.

    Attributes:
        bearer: the token of an `Authorization: Bearer` header; empty when there is none.
        common_name: subject CN of a client certificate that the TLS layer has verified; empty without one.
        organizations: subject O of the same certificate.
        audiences: for whom a token has to be; none: for this server.
    """

    bearer: str = ""
    common_name: str = ""
    organizations: tuple[str, ...] = ()
    audiences: tuple[str, ...] = ()


class InvalidToken(Exception):
    """A token of a kind that an authenticator knows, which is worth nothing (now): `str()` says why.

    Callers are told 401 and no more; who asks for a TokenReview is told the reason.
    """


class Authenticator(Protocol):
    """One way to know a caller."""

    def identify(self, credentials: Credentials) -> Identity | None:
        """Who it is; None when these credentials are not of this kind or not known.

        Raises:
            InvalidToken: they are of this kind, and worth nothing.
        """
        ...


@runtime_checkable
class KnowsAudiences(Protocol):
    """An authenticator whose credentials say for whom they are."""

    def audiences(self, credentials: Credentials) -> tuple[str, ...]:
        """For whom credentials are that it knows, of those asked for; none for what it does not know."""
        ...


class Authentication:
    """Authenticators in the order in which they are asked; the first that knows the caller decides."""

    def __init__(self, authenticators: Sequence[Authenticator], audiences: Sequence[str] = ()) -> None:
        """`audiences` are the server's own, for which credentials count that do not say."""
        self._authenticators = tuple(authenticators)
        self._audiences = tuple(audiences)

    def identify(self, credentials: Credentials) -> Identity:
        """The caller, as a member of `system:authenticated`.

        Raises:
            StatusError: 401, when no authenticator knows the caller.
        """
        try:
            identity = self.find(credentials)
        except InvalidToken:
            identity = None
        if identity is None:
            raise errors.unauthorized("Unauthorized")
        return identity

    def audiences(self, credentials: Credentials) -> tuple[str, ...]:
        """For whom credentials count that `find` knows: those asked for that they are good for."""
        for authenticator in self._authenticators:
            if isinstance(authenticator, KnowsAudiences):
                found = authenticator.audiences(credentials)
                if found:
                    return found
        return tuple(one for one in self._audiences if one in credentials.audiences or not credentials.audiences)

    def find(self, credentials: Credentials) -> Identity | None:
        """Like `identify`, for those who are to be told why a token is worth nothing.

        Raises:
            InvalidToken: no authenticator knows the caller, and one says why.
        """
        refusal: InvalidToken | None = None
        for authenticator in self._authenticators:
            try:
                identity = authenticator.identify(credentials)
            except InvalidToken as error:
                refusal = error
            else:
                if identity is not None:
                    return identity
        if refusal is not None:
            raise refusal
        return None


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


def as_member(name: str, *, uid: str = "", groups: Sequence[str] = (), extra: Extra = ()) -> Identity:
    """An authenticated user: the groups given and `system:authenticated`."""
    return Identity(name=name, uid=uid, groups=tuple(dict.fromkeys((*groups, ALL_AUTHENTICATED))), extra=extra)


def bearer_token(header: str | None) -> str:
    """The token of an `Authorization` header; empty when it is missing or of another scheme."""
    if not header:
        return ""
    scheme, _, token = header.strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
