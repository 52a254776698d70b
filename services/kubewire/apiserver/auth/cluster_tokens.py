"""The tokens of one cluster's service accounts: its issuer, its keys, and what it tells others who check its tokens.

The library that reads and writes tokens is loaded when the first of them is seen, which the start of a server need
not wait for.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final

from kubewire.apiserver.auth.token_keys import by_name

if TYPE_CHECKING:
    from kubewire.apiserver.auth.account_claims import Claims
    from kubewire.apiserver.auth.account_tokens import TokenIssuer, TokenReader
    from kubewire.apiserver.auth.token_keys import SigningKey, VerifyingKey
    from kubewire.machinery.json_value import JsonArray, JsonObject

_KEY_SET_PATH: Final = "/openid/v1/jwks"


class ClusterTokens:
    """Signs and reads the cluster's tokens.

    Attributes:
        audiences: for whom a token is that does not say: this server.
    """

    def __init__(
        self, issuer: str, audiences: Sequence[str], signing: SigningKey, verifying: Sequence[VerifyingKey] = ()
    ) -> None:
        self._issuer_name = issuer
        self._signing = signing
        self._keys = by_name((signing.public, *verifying))
        self.audiences: Final = tuple(audiences) or (issuer,)

    def issue(self, claims: Claims) -> str:
        """The token that says this."""
        return self._issuer.issue(claims)

    @cached_property
    def _issuer(self) -> TokenIssuer:
        from kubewire.apiserver.auth.account_tokens import TokenIssuer  # noqa: PLC0415 - see above

        return TokenIssuer(self._issuer_name, self._signing)

    def reader(self) -> TokenReader:
        """Reads tokens of this issuer."""
        from kubewire.apiserver.auth.account_tokens import TokenReader  # noqa: PLC0415 - see above

        return TokenReader((self._issuer_name,), self._keys)

    def configuration(self, server_address: str) -> JsonObject:
        """What OpenID Connect discovery tells of the issuer."""
        algorithms: JsonArray = [*sorted({key.algorithm for key in self._keys.values()})]
        return {
            "issuer": self._issuer_name,
            "jwks_uri": f"https://{server_address}{_KEY_SET_PATH}",
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": algorithms,
        }

    @cached_property
    def key_set(self) -> JsonObject:
        """The keys that the cluster's tokens are checked by (RFC 7517)."""
        return {"keys": [key.as_jwk() for key in self._keys.values()]}
