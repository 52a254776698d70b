"""The server's certificates and whom it believes: made or read when it starts.

Nothing here is needed while requests are served; what comes out is PEM, an SSL context and an Authentication.
"""

from __future__ import annotations

import secrets
import socket
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from kubewire.apiserver.auth.authentication import Authentication, CertificateAuthenticator
from kubewire.apiserver.auth.cluster_tokens import ClusterTokens
from kubewire.apiserver.auth.token_keys import (
    MalformedKey,
    SigningKey,
    VerifyingKey,
    make_signing_key,
    read_signing_key,
    read_verifying_keys,
)
from kubewire.apiserver.auth.tokens import MalformedTokenFile, TokenAuthenticator, parse_token_file
from kubewire.apiserver.bootstrap.addresses import service_address
from kubewire.apiserver.streams.kubelets import KubeletCredentials
from kubewire.component.errors import CertificateError, ConfigError
from kubewire.component.files import write_private
from kubewire.component.log import Logger
from kubewire.component.tls.store import CertificateStore, local_hosts

if TYPE_CHECKING:
    from kubewire.apiserver.auth.account_authentication import AccountAuthenticator
    from kubewire.apiserver.config import ApiServerConfig

_LOG: Final = Logger("apiserver.credentials")
_SERVER: Final = "apiserver"
_ADMIN: Final = "admin"
_KUBELET_CLIENT: Final = "apiserver-kubelet-client"
_KUBELET_CLIENT_USER: Final = "kube-apiserver-kubelet-client"
_MASTERS: Final = "system:masters"
_TOKENS: Final = "tokens.csv"
_ACCOUNT_KEY: Final = "sa"
_SERVICE_NAMES: Final = (
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)


class ServerCredentials(NamedTuple):
    """What both faces listen with, as PEM and as the files it stands in (the standard library reads files only)."""

    certificate: bytes
    key: bytes
    client_ca: bytes
    certificate_file: Path
    key_file: Path
    client_ca_file: Path


def server_credentials(config: ApiServerConfig) -> ServerCredentials:
    """The certificate and key to serve with, and the CA that client certificates are checked against.

    Raises:
        CertificateError: files cannot be used.
    """
    store = CertificateStore(config.cert_dir)
    client_ca_file = config.client_ca_file or store.authority_file
    if config.tls_cert_file is None or config.tls_private_key_file is None:
        certificate_file, key_file = (config.cert_dir / f"{_SERVER}.{suffix}" for suffix in ("crt", "key"))
        certificate, key = store.server(_SERVER, "kube-apiserver", _hosts(config))
        store.client(_ADMIN, "kubewire-admin", (_MASTERS,))
    else:
        certificate_file, key_file = config.tls_cert_file, config.tls_private_key_file
        certificate, key = _read(certificate_file), _read(key_file)
        if config.client_ca_file is None:
            store.authority()
    return ServerCredentials(certificate, key, _read(client_ca_file), certificate_file, key_file, client_ca_file)


def kubelet_credentials(config: ApiServerConfig) -> KubeletCredentials:
    """Whom we believe to be a kubelet, and who we are to kubelets.

    Raises:
        CertificateError: files cannot be used.
    """
    store = CertificateStore(config.cert_dir)
    authority = _read(config.kubelet_ca_file) if config.kubelet_ca_file else store.authority().issued.certificate
    if config.kubelet_client_cert_file is None or config.kubelet_client_key_file is None:
        certificate, key = store.client(_KUBELET_CLIENT, _KUBELET_CLIENT_USER, (_MASTERS,))
    else:
        certificate, key = _read(config.kubelet_client_cert_file), _read(config.kubelet_client_key_file)
    return KubeletCredentials(authority, certificate, key)


def tls_context(credentials: ServerCredentials) -> ssl.SSLContext:
    """For the REST port, which looks at client certificates where there are any.

    Raises:
        CertificateError: certificate and key do not fit.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_OPTIONAL
    try:
        context.load_cert_chain(credentials.certificate_file, credentials.key_file)
        context.load_verify_locations(credentials.client_ca_file)
    except ssl.SSLError as error:
        raise CertificateError(f"{credentials.certificate_file}: cannot be served with: {error}") from None
    return context


def cluster_tokens(config: ApiServerConfig) -> ClusterTokens:
    """The tokens of service accounts: by the key that is configured, or one of our own, made at the first start.

    Raises:
        CertificateError: a key cannot be used.
    """
    path = config.service_account_signing_key_file or _own_account_key(config.cert_dir)
    signing = _signing_key(path)
    more = [key for name in config.service_account_key_file for key in _verifying_keys(Path(name))]
    return ClusterTokens(config.service_account_issuer, config.api_audiences, signing, more)


def authentication(config: ApiServerConfig, accounts: AccountAuthenticator | None = None) -> Authentication:
    """Whom the server believes: client certificates of its CA, the tokens of its file, and service accounts.

    Raises:
        ConfigError: the file of tokens cannot be read.
    """
    path = config.token_file or _own_token_file(config.cert_dir)
    try:
        known = parse_token_file(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, MalformedTokenFile) as error:
        raise ConfigError(f"token_file {path}: {error}") from None
    later = () if accounts is None else (accounts,)
    own_audiences = config.api_audiences or (config.service_account_issuer,)
    return Authentication((TokenAuthenticator(known), *later, CertificateAuthenticator()), own_audiences)


def advertised_address(config: ApiServerConfig) -> str:
    """The address other machines reach this server at."""
    if config.advertise_address:
        return config.advertise_address
    if config.bind_address not in ("0.0.0.0", "::", ""):  # noqa: S104 - compared, not listened on
        return config.bind_address
    return _own_address()


def _own_address() -> str:
    """This machine's address on the way to others; no packet is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


def _hosts(config: ApiServerConfig) -> tuple[str, ...]:
    own = (advertised_address(config), *config.more_bind_addresses, service_address(config.service_cluster_ip_range))
    return local_hosts(*_SERVICE_NAMES, *own, *config.tls_names)


def _own_token_file(folder: Path) -> Path:
    """A file with one token for an admin, made at the first start."""
    path = folder / _TOKENS
    if not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(path, f'{secrets.token_urlsafe(32)},admin,admin,"{_MASTERS}"\n'.encode())
        _LOG.info("made a token for the admin", file=path)
    return path


def _own_account_key(folder: Path) -> Path:
    """A key for the tokens of service accounts, made at the first start, with its public part beside it."""
    path = folder / f"{_ACCOUNT_KEY}.key"
    if not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        private, public = make_signing_key()
        write_private(folder / f"{_ACCOUNT_KEY}.pub", public)
        write_private(path, private)
    return path


def _signing_key(path: Path) -> SigningKey:
    try:
        return read_signing_key(_read(path))
    except MalformedKey as error:
        raise CertificateError(f"{path}: {error}") from None


def _verifying_keys(path: Path) -> list[VerifyingKey]:
    try:
        return read_verifying_keys(_read(path))
    except MalformedKey as error:
        raise CertificateError(f"{path}: {error}") from None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CertificateError(f"{path}: cannot be read: {error.strerror}") from None
