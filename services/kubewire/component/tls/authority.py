"""The cluster's certificate authority: signs what servers show and what clients are known by.

ECDSA on P-256 throughout: keys are made in a fraction of a millisecond, which a start within a second needs, and every
TLS library takes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from kubewire.component.errors import CertificateError

AUTHORITY_LIFETIME: Final = timedelta(days=3650)
LIFETIME: Final = timedelta(days=365)
_SKEW: Final = timedelta(minutes=5)
"""Certificates are valid from a little before now: clocks differ."""


class Issued(NamedTuple):
    """A certificate and its key, in PEM."""

    certificate: bytes
    key: bytes


class Authority:
    """Signs certificates. `now` is passed in, since what is valid depends on it."""

    def __init__(self, issued: Issued) -> None:
        """From PEM.

        Raises:
            CertificateError: the PEM holds no certificate, or no key of ours.
        """
        self.issued = issued
        try:
            self._certificate = x509.load_pem_x509_certificate(issued.certificate)
            key = load_pem_private_key(issued.key, password=None)
        except (ValueError, TypeError) as error:
            raise CertificateError(f"the authority's certificate or key cannot be read: {error}") from None
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise CertificateError("the authority's key is not an elliptic curve key")
        self._key = key

    @classmethod
    def create(cls, common_name: str, now: datetime) -> Authority:
        """A new authority, signed by itself."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name(common_name)
        builder = _builder(name, name, key, now, AUTHORITY_LIFETIME)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        builder = builder.add_extension(_key_usage(signs_certificates=True), critical=True)
        return cls(_issue(builder, key, key))

    def issue_server(self, common_name: str, hosts: Sequence[str], now: datetime) -> Issued:
        """A certificate for a server known by `hosts`, names and IP addresses alike."""
        names = x509.SubjectAlternativeName([_alternative(host) for host in hosts])
        return self._issue_leaf(_name(common_name), ExtendedKeyUsageOID.SERVER_AUTH, now, names)

    def issue_client(self, common_name: str, organizations: Sequence[str], now: datetime) -> Issued:
        """A certificate that a client is known by: Kubernetes reads the user and its groups from these names."""
        return self._issue_leaf(_name(common_name, organizations), ExtendedKeyUsageOID.CLIENT_AUTH, now)

    def _issue_leaf(
        self, subject: x509.Name, usage: x509.ObjectIdentifier, now: datetime, *extensions: x509.ExtensionType
    ) -> Issued:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(subject, self._certificate.subject, key, now, LIFETIME)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_key_usage(signs_certificates=False), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = builder.add_extension(identifier, critical=False)
        for extension in extensions:
            builder = builder.add_extension(extension, critical=False)
        return _issue(builder, key, self._key)


def hosts_of(certificate: bytes) -> set[str]:
    """Names and addresses that a server certificate is for."""
    try:
        found = x509.load_pem_x509_certificate(certificate).extensions
        names = found.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound):
        return set()
    addresses = names.get_values_for_type(x509.IPAddress)
    return {*names.get_values_for_type(x509.DNSName), *map(str, addresses)}


def is_signed_by(certificate: bytes, authority: bytes) -> bool:
    """Whether a certificate is one of the authority's."""
    try:
        loaded, signer = map(x509.load_pem_x509_certificate, (certificate, authority))
        loaded.verify_directly_issued_by(signer)
    except Exception:  # noqa: BLE001 - cryptography raises a type of its own for each way not to be signed
        return False
    return True


def valid_until(certificate: bytes) -> datetime:
    """When a certificate ends; the beginning of time for what is none."""
    try:
        return x509.load_pem_x509_certificate(certificate).not_valid_after_utc
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, lifetime: timedelta
) -> x509.CertificateBuilder:
    public = key.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + lifetime)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _issue(
    builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey
) -> Issued:
    certificate = builder.sign(signer, hashes.SHA256())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Issued(certificate.public_bytes(Encoding.PEM), private)


def _name(common_name: str, organizations: Sequence[str] = ()) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, name) for name in organizations]
    return x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
