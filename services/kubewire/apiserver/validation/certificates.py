"""Certificate signing requests: a well-formed request to a signer that has a name."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

from cryptography import x509

from kubewire.apiserver.validation.checks import Problems, duplicates
from kubewire.machinery import names
from kubewire.machinery.field_errors import FieldError, duplicate, invalid, not_supported, required, too_long
from kubewire.machinery.field_path import ROOT, Path
from kubewire.machinery.quoting import quote

if TYPE_CHECKING:
    from kubewire.api.certificates.v1.certificate_signing_request_pb2 import CertificateSigningRequest

_SPEC = ROOT.child("spec")
_SIGNER_LIMIT = 571
_LEGACY_SIGNER = "kubernetes.io/legacy-unknown"
_MIN_SECONDS = 600
_USAGES = (
    "any",
    "cert sign",
    "client auth",
    "code signing",
    "content commitment",
    "crl sign",
    "data encipherment",
    "decipher only",
    "digital signature",
    "email protection",
    "encipher only",
    "ipsec end system",
    "ipsec tunnel",
    "ipsec user",
    "key agreement",
    "key encipherment",
    "microsoft sgc",
    "netscape sgc",
    "ocsp signing",
    "s/mime",
    "server auth",
    "signing",
    "timestamping",
)


def validate_signing_request(csr: CertificateSigningRequest) -> list[FieldError]:
    """A new request."""
    problems: Problems = []
    _check_request(csr.spec.request, _SPEC.child("request"), problems)
    at = _SPEC.child("usages")
    if not csr.spec.usages:
        problems.append(required(at))
    for position, usage in enumerate(csr.spec.usages):
        if usage not in _USAGES:
            problems.append(not_supported(at.index(position), usage, _USAGES))
    problems += [duplicate(at.index(position), csr.spec.usages[position]) for position in duplicates(csr.spec.usages)]
    if csr.spec.signerName == _LEGACY_SIGNER:
        detail = "the legacy signerName is not allowed via this API version"
        problems.append(invalid(_SPEC.child("signerName"), csr.spec.signerName, detail))
    else:
        check_signer_name(csr.spec.signerName, _SPEC.child("signerName"), problems)
    if csr.spec.HasField("expirationSeconds") and csr.spec.expirationSeconds < _MIN_SECONDS:
        detail = f"may not specify a duration less than {_MIN_SECONDS} seconds (10 minutes)"
        problems.append(invalid(_SPEC.child("expirationSeconds"), csr.spec.expirationSeconds, detail))
    return problems


def _check_request(request: bytes, path: Path, problems: Problems) -> None:
    shown = b64encode(request).decode()
    if b"-----BEGIN CERTIFICATE REQUEST-----" not in request:
        problems.append(invalid(path, shown, "PEM block type must be CERTIFICATE REQUEST"))
        return
    try:
        x509.load_pem_x509_csr(request)
    except ValueError:
        problems.append(invalid(path, shown, "the block is no certificate request"))


def check_signer_name(signer: str, path: Path, problems: Problems) -> None:
    """`example.com/signer-name`."""
    if not signer:
        problems.append(required(path))
        return
    if len(signer) > _SIGNER_LIMIT:
        problems.append(too_long(path, _SIGNER_LIMIT))
    domain, slash, name = signer.partition("/")
    if not slash or "/" in name:
        detail = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
        problems.append(invalid(path, signer, detail))
        return
    for problem in names.dns1123_subdomain(domain):
        problems.append(invalid(path, domain, f"validating label {quote(domain)}: {problem}"))
    if "." not in domain:
        detail = "should be a domain with at least two segments separated by dots"
        problems.append(invalid(path, domain, detail))
    for problem in names.dns1123_subdomain(name):
        problems.append(invalid(path, name, f"validating path segment {quote(name)}: {problem}"))


def validate_signing_request_update(
    new: CertificateSigningRequest, _old: CertificateSigningRequest
) -> list[FieldError]:
    """The spec does not change, so there is nothing to look at but conditions."""
    problems: Problems = []
    kinds = [condition.type for condition in new.status.conditions]
    path = ROOT.child("status", "conditions")
    for position, kind in enumerate(kinds):
        if not kind:
            problems.append(required(path.index(position).child("type")))
    for position in duplicates(kinds):
        problems.append(duplicate(path.index(position).child("type"), kinds[position]))
    if {"Approved", "Denied"} <= set(kinds):
        detail = "Approved and Denied conditions are mutually exclusive"
        problems.append(invalid(path.index(kinds.index("Denied")).child("type"), "Denied", detail))
    return problems
