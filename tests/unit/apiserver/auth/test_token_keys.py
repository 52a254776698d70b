"""Keys out of PEM, and their names."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from kubewire.apiserver.auth.token_keys import MalformedKey, make_signing_key, read_signing_key, read_verifying_keys


def pem_of(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    """A private key as older tools write it."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())


def test_a_key_that_was_made_is_read_again() -> None:
    """Both parts of it have one name."""
    private, public = make_signing_key()
    [verifying] = read_verifying_keys(public)
    assert read_signing_key(private).public.name == verifying.name
    assert verifying.algorithm == "ES256"


def test_files_may_hold_several_keys_of_any_kind() -> None:
    """Public and private, elliptic curves and RSA; text between them is skipped."""
    rsa_key, curve_key = rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP384R1())
    public = rsa_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    found = read_verifying_keys(b"# a comment\n" + public + b"\nand\n" + pem_of(curve_key))
    assert [key.algorithm for key in found] == ["RS256", "ES384"]
    assert read_signing_key(pem_of(rsa_key)).public.name == found[0].name


def test_the_key_set_shows_public_parts_alone() -> None:
    """As RFC 7517 has them."""
    private, _ = make_signing_key()
    shown = read_signing_key(private).public.as_jwk()
    assert (shown["kty"], shown["alg"], shown["use"]) == ("EC", "ES256", "sig")
    assert set(shown) == {"use", "kid", "alg", "kty", "crv", "x", "y"}


@pytest.mark.parametrize(
    ("pem", "why"),
    [
        (b"", "found none"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "cannot be read"),
        (pem_of(ec.generate_private_key(ec.SECP256K1())), "curve secp256k1"),
    ],
)
def test_what_is_no_key_is_refused(pem: bytes, why: str) -> None:
    """The error says what is wrong."""
    with pytest.raises(MalformedKey, match=why):
        read_signing_key(pem)
    with pytest.raises(MalformedKey, match=why):
        read_verifying_keys(pem)
