"""Tokens of service accounts: JSON Web Tokens that say which account, for whom, until when, and what they live with.

`issue` and `read` are each other's inverse, and know keys, claims and time alone; whether the account and the object
a token is bound to still are what they were is looked up by `account_authentication`. Claims are upstream's
(KEP-1205, KEP-4193), so that programs which read tokens of stock clusters read these.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import jwt
from jwt.types import Options

from kubewire.apiserver.auth.account_claims import Claims, Named
from kubewire.apiserver.auth.authentication import InvalidToken

if TYPE_CHECKING:
    from kubewire.apiserver.auth.token_keys import SigningKey, VerifyingKey
    from kubewire.machinery.json_value import JsonObject

_PRIVATE: Final = "kubernetes.io"
_NAMED: Final = ("pod", "secret", "node")


class TokenIssuer:
    """Signs tokens."""

    def __init__(self, issuer: str, key: SigningKey) -> None:
        self._issuer = issuer
        self._key = key

    def issue(self, claims: Claims) -> str:
        """The token that says this."""
        private: JsonObject = {"namespace": claims.namespace, "serviceaccount": _written(claims.account)}
        for what, named in (("pod", claims.pod), ("secret", claims.secret), ("node", claims.node)):
            if named is not None:
                private[what] = _written(named)
        payload: JsonObject = {
            "aud": list(claims.audiences),
            "exp": claims.expires_at,
            "iat": claims.issued_at,
            "iss": self._issuer,
            "jti": claims.id,
            _PRIVATE: private,
            "nbf": claims.issued_at,
            "sub": claims.user,
        }
        public = self._key.public
        return jwt.encode(payload, self._key.key, algorithm=public.algorithm, headers={"kid": public.name, "typ": None})


class TokenReader:
    """Reads tokens that one of the keys signed for one of the issuers."""

    def __init__(self, issuers: Sequence[str], keys: Mapping[str, VerifyingKey]) -> None:
        self._issuers = frozenset(issuers)
        self._keys = keys

    def read(self, token: str) -> Claims | None:
        """What a token says; None for one that is none of ours. Its time and its audiences are not looked at.

        Raises:
            InvalidToken: it says to be ours and is not, or cannot be read.
        """
        try:
            unverified = jwt.decode_complete(token, options=_UNVERIFIED)
        except jwt.PyJWTError:
            return None
        if unverified["payload"].get("iss") not in self._issuers:
            return None
        key = self._keys.get(unverified["header"].get("kid", ""))
        if key is None:
            raise InvalidToken("no keys found")
        try:
            payload = jwt.decode(token, key.key, algorithms=[key.algorithm], options=_ONLY_SIGNATURE)
        except jwt.PyJWTError as error:
            raise InvalidToken(f"the signature does not fit: {error}") from None
        return _read(payload)


_ONLY_SIGNATURE: Final = Options(
    verify_aud=False, verify_exp=False, verify_iat=False, verify_nbf=False, verify_iss=False
)
_UNVERIFIED: Final = Options(verify_signature=False)


def _written(named: Named) -> JsonObject:
    return {"name": named.name, "uid": named.uid} if named.uid else {"name": named.name}


def _read(payload: Mapping[str, object]) -> Claims:
    try:
        private = _mapping(payload[_PRIVATE])
        bound = {what: _named(private[what]) for what in _NAMED if private.get(what)}
        claims = Claims(
            str(private["namespace"]),
            _named(private["serviceaccount"]),
            _audiences(payload.get("aud")),
            int(payload.get("iat") or payload.get("nbf") or 0),  # type: ignore[call-overload]  # refused below
            int(payload["exp"]),  # type: ignore[call-overload]  # likewise
            str(payload.get("jti", "")),
            **bound,
        )
    except (KeyError, TypeError, ValueError):
        raise InvalidToken("token claims are not those of a service account") from None
    if payload.get("sub") != claims.user:
        raise InvalidToken("the subject is another account than the claims name")
    return claims


def _audiences(found: object) -> tuple[str, ...]:
    if isinstance(found, list):
        return tuple(str(one) for one in found)
    return (str(found),) if found else ()


def _named(found: object) -> Named:
    named = _mapping(found)
    return Named(str(named["name"]), str(named.get("uid", "")))


def _mapping(found: object) -> Mapping[str, object]:
    if not isinstance(found, dict):
        raise TypeError("want an object")
    return found
