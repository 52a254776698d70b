"""The keys service-account tokens are signed with and checked by, out of PEM.

ECDSA on P-256 (ES256) is what a cluster makes for itself, since such a key is there at once; RSA keys (RS256) of a
cluster that has them are taken as they are. A key is named in a token by the digest of its public part, so that a
server that knows several keys need not try them all, and one it does not know is told from a forgery.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

    from kubewire.machinery.json_value import JsonObject

PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

_blocks: Final = re.compile(rb"-----BEGIN (?P<what>[A-Z ]+)-----.+?-----END (?P=what)-----", re.DOTALL).finditer
_CURVES: Final = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}


class MalformedKey(ValueError):
    """A file of keys holds none that tokens can be signed with, or checked by: the operator's mistake."""


class VerifyingKey:
    """A public key: `name` stands as `kid` in the tokens that it checks."""

    __slots__ = ("algorithm", "key", "name")

    def __init__(self, key: PublicKey) -> None:
        self.key: Final = key
        self.algorithm: Final = _algorithm(key)
        encoded = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.name: Final = urlsafe_b64encode(sha256(encoded).digest()).rstrip(b"=").decode()

    def as_jwk(self) -> JsonObject:
        """As it stands in the key set that others check tokens by (RFC 7517)."""
        from jwt.algorithms import ECAlgorithm, RSAAlgorithm  # noqa: PLC0415 - few servers are asked

        key = self.key
        found: JsonObject
        if isinstance(key, rsa.RSAPublicKey):
            found = RSAAlgorithm.to_jwk(key, as_dict=True)
        else:
            found = ECAlgorithm.to_jwk(key, as_dict=True)
        found.pop("key_ops", None)
        return {"use": "sig", "kid": self.name, "alg": self.algorithm} | found


class SigningKey:
    """A private key, and the public one that checks what it signs."""

    __slots__ = ("key", "public")

    def __init__(self, key: PrivateKey) -> None:
        self.key: Final = key
        self.public: Final = VerifyingKey(key.public_key())


def make_signing_key() -> tuple[bytes, bytes]:
    """A new key, as PEM: the private part and the public one."""
    key = ec.generate_private_key(ec.SECP256R1())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def read_signing_key(pem: bytes) -> SigningKey:
    """The first private key of a file.

    Raises:
        MalformedKey: there is none that can be used.
    """
    for block in _blocks(pem):
        if b"PRIVATE KEY" in block["what"]:
            return SigningKey(_private(block[0]))
    raise MalformedKey("want a private key in PEM, elliptic curve or RSA, and found none")


def read_verifying_keys(pem: bytes) -> list[VerifyingKey]:
    """All keys of a file; private ones count by their public part, as upstream takes them.

    Raises:
        MalformedKey: there is none, or one that cannot be used.
    """
    found = [VerifyingKey(_public(block["what"], block[0])) for block in _blocks(pem)]
    if not found:
        raise MalformedKey("want at least one key in PEM, elliptic curve or RSA, and found none")
    return found


def by_name(keys: Iterable[VerifyingKey]) -> dict[str, VerifyingKey]:
    """Keys by what tokens call them."""
    return {key.name: key for key in keys}


def _private(pem: bytes) -> PrivateKey:
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:
        raise MalformedKey(f"a private key cannot be read: {error}") from None
    if not isinstance(key, PrivateKey):
        raise MalformedKey("want a private key of an elliptic curve or RSA")
    return key


def _public(what: bytes, pem: bytes) -> PublicKey:
    if b"PRIVATE KEY" in what:
        return _private(pem).public_key()
    key: PublicKeyTypes
    if what == b"CERTIFICATE":
        from cryptography.x509 import load_pem_x509_certificate  # noqa: PLC0415 - seldom

        key = load_pem_x509_certificate(pem).public_key()
    else:
        try:
            key = load_pem_public_key(pem)
        except (ValueError, TypeError) as error:
            raise MalformedKey(f"a public key cannot be read: {error}") from None
    if not isinstance(key, PublicKey):
        raise MalformedKey("want a public key of an elliptic curve or RSA")
    return key


def _algorithm(key: PublicKey) -> str:
    if isinstance(key, rsa.RSAPublicKey):
        return "RS256"
    algorithm = _CURVES.get(key.curve.name)
    if algorithm is None:
        raise MalformedKey(f"curve {key.curve.name}: want one of {', '.join(_CURVES)}")
    return algorithm
