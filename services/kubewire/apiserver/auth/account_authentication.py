"""Service accounts known by their tokens.

Checking a signature takes a hundred times as long as all else a request needs to be let in, and a bearer sends one
token for an hour: what a good token says is remembered until it ends. Whether the account and the object it is bound
to are still the same is looked up at every use, so that deleting them takes the token back at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from secrets import token_bytes
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from kubewire.apiserver.auth.authentication import Credentials, InvalidToken, as_member
from kubewire.apiserver.contracts import Identity

if TYPE_CHECKING:
    from kubewire.api.meta.v1.object_meta_pb2 import ObjectMeta
    from kubewire.apiserver.auth.account_claims import Claims, Named
    from kubewire.apiserver.auth.account_tokens import TokenReader

ACCOUNTS_GROUP: Final = "system:serviceaccounts"
_REMEMBERED: Final = 4096
"""Tokens: some kilobytes each, and more than the pods of one node times the nodes a server is asked by."""

_LEEWAY_SECONDS: Final = 60
"""How long what a token is bound to may be on its way out before the token is worth nothing."""

_SKEW_SECONDS: Final = 60
"""Clocks of servers that sign and servers that check differ."""

_POD_NAME: Final = "authentication.kubernetes.io/pod-name"
_POD_UID: Final = "authentication.kubernetes.io/pod-uid"
_NODE_NAME: Final = "authentication.kubernetes.io/node-name"
_NODE_UID: Final = "authentication.kubernetes.io/node-uid"
_CREDENTIAL: Final = "authentication.kubernetes.io/credential-id"


class Lookup(Protocol):
    """Finds the metadata of an object without waiting."""

    def __call__(self, plural: str, namespace: str, name: str) -> ObjectMeta | None:
        """Of one of `serviceaccounts`, `pods`, `secrets` and `nodes`; None if there is none."""
        ...


class _Known(NamedTuple):
    claims: Claims
    identity: Identity


class AccountAuthenticator:
    """Knows the bearers of service accounts' tokens."""

    def __init__(
        self,
        read: Callable[[], TokenReader],
        audiences: Sequence[str],
        find: Lookup,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`read` makes the reader when the first token arrives; `audiences` are the server's own."""
        self._make_reader = read
        self._reader: TokenReader | None = None
        self._audiences = frozenset(audiences)
        self._find = find
        self._clock = clock
        self._key = token_bytes(32)  # so that memory holds no token that could be stolen from it
        self._known: dict[bytes, _Known] = {}

    def identify(self, credentials: Credentials) -> Identity | None:
        """The account whose token it is; None for what is no such token.

        Raises:
            InvalidToken: it is one, and worth nothing.
        """
        known = self._known_by(credentials.bearer)
        if known is None:
            return None
        self._check_audiences(known.claims, credentials.audiences)
        self._check(known.claims)
        return known.identity

    def audiences(self, credentials: Credentials) -> tuple[str, ...]:
        """For whom a token is that `identify` knows, of those that were asked for."""
        known = self._known_by(credentials.bearer)
        if known is None:
            return ()
        wanted = credentials.audiences or self._audiences
        return tuple(audience for audience in known.claims.audiences if audience in wanted)

    def _known_by(self, token: str) -> _Known | None:
        if token.count(".") != 2:
            return None
        digest = blake2b(token.encode("utf-8", "surrogateescape"), key=self._key, digest_size=32).digest()
        known = self._known.get(digest)
        if known is None:
            if self._reader is None:
                self._reader = self._make_reader()
            claims = self._reader.read(token)
            if claims is None:
                return None
            known = _Known(claims, identity_of(claims))
            if claims.expires_at > self._clock():
                self._remember(digest, known)
        return known

    def _remember(self, digest: bytes, known: _Known) -> None:
        if len(self._known) >= _REMEMBERED:
            now = self._clock()
            self._known = {key: one for key, one in self._known.items() if one.claims.expires_at > now}
            while len(self._known) >= _REMEMBERED:
                del self._known[next(iter(self._known))]
        self._known[digest] = known

    def _check_audiences(self, claims: Claims, wanted: Sequence[str]) -> None:
        known = wanted or self._audiences
        if not any(audience in known for audience in claims.audiences):
            raise InvalidToken(
                f"token audiences {list(claims.audiences)} is invalid for the target audiences {list(known)}"
            )

    def _check(self, claims: Claims) -> None:
        now = self._clock()
        _check_time(claims, now)
        namespace = claims.namespace
        self._check_one("serviceaccounts", namespace, claims.account, now)
        if claims.secret is not None:
            self._check_one("secrets", namespace, claims.secret, now)
        if claims.pod is not None:
            self._check_one("pods", namespace, claims.pod, now)
        elif claims.node is not None:
            self._check_one("nodes", "", claims.node, now)

    def _check_one(self, plural: str, namespace: str, named: Named, now: float) -> None:
        found = self._find(plural, namespace, named.name)
        what = f"{_WORDS[plural]} {f'{namespace}/' if namespace else ''}{named.name}"
        if found is None:
            raise InvalidToken(f"{what} is gone")
        if found.HasField("deletionTimestamp") and found.deletionTimestamp.seconds < now - _LEEWAY_SECONDS:
            raise InvalidToken(f"{what} has been deleted")
        if found.uid != named.uid:
            raise InvalidToken(f"{what} has uid {found.uid}, and the token names {named.uid}")


def _check_time(claims: Claims, now_seconds: float) -> None:
    if now_seconds > claims.expires_at:
        raise InvalidToken("service account token has expired")
    if now_seconds < claims.issued_at - _SKEW_SECONDS:
        raise InvalidToken("service account token is not valid yet")


_WORDS: Final[Mapping[str, str]] = {
    "serviceaccounts": "service account",
    "secrets": "secret",
    "pods": "pod",
    "nodes": "node",
}


def identity_of(claims: Claims) -> Identity:
    """The user a bearer of a token is."""
    pairs = []
    if claims.id:
        pairs.append((_CREDENTIAL, f"JTI={claims.id}"))
    for named, name, uid in ((claims.node, _NODE_NAME, _NODE_UID), (claims.pod, _POD_NAME, _POD_UID)):
        if named is not None:
            pairs += [(name, named.name), (uid, named.uid)]
    return as_member(
        claims.user,
        uid=claims.account.uid,
        groups=groups_of(claims.namespace),
        extra=tuple((key, (value,)) for key, value in sorted(pairs) if value),
    )


def groups_of(namespace: str) -> tuple[str, ...]:
    """The groups that accounts of a namespace are in."""
    return (ACCOUNTS_GROUP, f"{ACCOUNTS_GROUP}:{namespace}")
