"""Tokens are read as they were written, and nothing else is believed."""

from base64 import urlsafe_b64decode, urlsafe_b64encode

import jwt
import orjson
import pytest

from kubewire.apiserver.auth.account_claims import Claims, Named
from kubewire.apiserver.auth.account_tokens import TokenIssuer, TokenReader
from kubewire.apiserver.auth.authentication import InvalidToken
from kubewire.apiserver.auth.token_keys import by_name, make_signing_key, read_signing_key

KEY = read_signing_key(make_signing_key()[0])
ISSUER = TokenIssuer("https://me", KEY)
READER = TokenReader(("https://me",), by_name([KEY.public]))
CLAIMS = Claims("n", Named("a", "u1"), ("api", "vault"), 1000, 4600, "id", pod=Named("p", "u2"), node=Named("w", "u3"))


def payload_of(token: str) -> dict[str, object]:
    """What a token says, believed or not."""
    found: dict[str, object] = jwt.decode(token, options={"verify_signature": False})
    return found


def changed(token: str, **values: object) -> str:
    """The token with other claims under the old signature."""
    header, payload, signature = token.split(".")
    said = orjson.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4))) | values
    return ".".join((header, urlsafe_b64encode(orjson.dumps(said)).rstrip(b"=").decode(), signature))


def test_what_was_issued_is_read() -> None:
    """All of it."""
    assert READER.read(ISSUER.issue(CLAIMS)) == CLAIMS


def test_claims_are_those_of_stock_clusters() -> None:
    """Programs look into them by name."""
    assert payload_of(ISSUER.issue(CLAIMS)) == {
        "aud": ["api", "vault"],
        "exp": 4600,
        "iat": 1000,
        "nbf": 1000,
        "iss": "https://me",
        "jti": "id",
        "sub": "system:serviceaccount:n:a",
        "kubernetes.io": {
            "namespace": "n",
            "serviceaccount": {"name": "a", "uid": "u1"},
            "pod": {"name": "p", "uid": "u2"},
            "node": {"name": "w", "uid": "u3"},
        },
    }
    assert jwt.get_unverified_header(ISSUER.issue(CLAIMS)) == {"alg": "ES256", "kid": KEY.public.name}


def test_tokens_of_others_are_left_to_others() -> None:
    """Another issuer's, and what is no token."""
    other = TokenIssuer("https://other", KEY).issue(CLAIMS)
    assert READER.read(other) is None
    assert READER.read("a.b.c") is None


def test_forgeries_are_refused() -> None:
    """Changed claims, an unknown key, a key of our name with another signature, and no signature."""
    stranger = read_signing_key(make_signing_key()[0])
    token = ISSUER.issue(CLAIMS)
    unsigned = jwt.encode(payload_of(token), "", algorithm="none", headers={"kid": KEY.public.name})
    named_ours = jwt.encode(payload_of(token), stranger.key, algorithm="ES256", headers={"kid": KEY.public.name})
    for forged in (changed(token, exp=9999), TokenIssuer("https://me", stranger).issue(CLAIMS), unsigned, named_ours):
        with pytest.raises(InvalidToken):
            READER.read(forged)


@pytest.mark.parametrize(
    "payload",
    [
        {"iss": "https://me", "sub": "x", "exp": 1},
        {"iss": "https://me", "sub": "x", "exp": 1, "kubernetes.io": []},
        {
            "iss": "https://me",
            "sub": "system:serviceaccount:n:b",
            "exp": 1,
            "kubernetes.io": {"namespace": "n", "serviceaccount": {"name": "a"}},
        },
    ],
)
def test_claims_of_another_shape_are_refused(payload: dict[str, object]) -> None:
    """Even if the key signed them."""
    token = jwt.encode(payload, KEY.key, algorithm="ES256", headers={"kid": KEY.public.name})
    with pytest.raises(InvalidToken, match=r"claims|subject"):
        READER.read(token)
