"""What the server shows, and whom it believes."""

import ssl
from pathlib import Path
from typing import cast

import pytest

from kubewire.apiserver.auth.authentication import Credentials
from kubewire.apiserver.config import ApiServerConfig
from kubewire.apiserver.credentials import (
    advertised_address,
    authentication,
    cluster_tokens,
    server_credentials,
    tls_context,
)
from kubewire.component.errors import CertificateError, ConfigError
from kubewire.component.tls.authority import hosts_of
from kubewire.machinery.errors import StatusError


def test_the_certificate_is_for_every_name_it_is_reached_by(tmp_path: Path) -> None:
    """This machine, the Service's names and first address, and what the operator adds."""
    config = ApiServerConfig(cert_dir=tmp_path, bind_address="127.0.0.1", tls_names=("api.example.org", "192.0.2.7"))
    hosts = hosts_of(server_credentials(config).certificate)
    assert hosts >= {
        "localhost",
        "127.0.0.1",
        "::1",
        "10.96.0.1",
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
        "api.example.org",
        "192.0.2.7",
    }


def test_a_context_can_serve_with_it(tmp_path: Path) -> None:
    """Clients may show certificates and need not; nothing older than TLS 1.2 is spoken."""
    context = tls_context(server_credentials(ApiServerConfig(cert_dir=tmp_path, bind_address="127.0.0.1")))
    assert context.verify_mode is ssl.CERT_OPTIONAL
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_certificates_of_others_can_be_served_with(tmp_path: Path) -> None:
    """A certificate given by files is used as it is; one whose key does not fit is refused by name."""
    other = ApiServerConfig(cert_dir=tmp_path / "other", bind_address="127.0.0.1")
    given = server_credentials(other)
    config = ApiServerConfig(
        cert_dir=tmp_path / "own",
        tls_cert_file=given.certificate_file,
        tls_private_key_file=given.key_file,
        client_ca_file=given.client_ca_file,
    )
    assert server_credentials(config) == given
    assert not (tmp_path / "own").exists()
    wrong = ApiServerConfig(
        cert_dir=tmp_path / "own",
        tls_cert_file=given.certificate_file,
        tls_private_key_file=tmp_path / "other" / "admin.key",
    )
    with pytest.raises(CertificateError, match=r"apiserver\.crt: cannot be served with"):
        tls_context(server_credentials(wrong))
    missing = ApiServerConfig(
        cert_dir=tmp_path / "own", tls_cert_file=tmp_path / "none.crt", tls_private_key_file=given.key_file
    )
    with pytest.raises(CertificateError, match=r"none\.crt: cannot be read"):
        server_credentials(missing)


def test_a_token_is_made_for_the_admin(tmp_path: Path) -> None:
    """Once; it belongs to an administrator, and nobody else is known."""
    config = ApiServerConfig(cert_dir=tmp_path)
    believed = authentication(config)
    token = (tmp_path / "tokens.csv").read_text().partition(",")[0]
    identity = believed.identify(Credentials(bearer=token))
    assert (identity.name, "system:masters" in identity.groups) == ("admin", True)
    with pytest.raises(StatusError):
        believed.identify(Credentials(bearer="x"))
    authentication(config)
    assert (tmp_path / "tokens.csv").read_text().partition(",")[0] == token


def test_tokens_of_a_file_are_believed(tmp_path: Path) -> None:
    """And a file that cannot be read is named."""
    file = tmp_path / "tokens.csv"
    file.write_text('secret,alice,1,"devs"\n')
    believed = authentication(ApiServerConfig(cert_dir=tmp_path / "pki", token_file=file))
    assert believed.identify(Credentials(bearer="secret")).name == "alice"
    assert not (tmp_path / "pki").exists()
    with pytest.raises(ConfigError, match=r"token_file .*none\.csv"):
        authentication(ApiServerConfig(token_file=tmp_path / "none.csv"))


def test_a_key_for_tokens_is_made_once(tmp_path: Path) -> None:
    """And used again; keys that are given are believed beside it, and one that is none is named."""
    config = ApiServerConfig(cert_dir=tmp_path)
    keys = cluster_tokens(config).key_set
    assert cluster_tokens(config).key_set == keys
    assert (tmp_path / "sa.key").stat().st_mode & 0o777 == 0o600
    other = ApiServerConfig(cert_dir=tmp_path / "other", service_account_key_file=(str(tmp_path / "sa.pub"),))
    assert len(cast("list[object]", cluster_tokens(other).key_set["keys"])) == 2
    given = ApiServerConfig(cert_dir=tmp_path / "none", service_account_signing_key_file=tmp_path / "sa.key")
    assert cluster_tokens(given).key_set == keys
    assert not (tmp_path / "none").exists()
    with pytest.raises(CertificateError, match=r"sa\.pub: want a private key"):
        cluster_tokens(ApiServerConfig(service_account_signing_key_file=tmp_path / "sa.pub"))


def test_the_advertised_address() -> None:
    """The one given, else the one listened on unless that is any address."""
    assert advertised_address(ApiServerConfig(advertise_address="192.0.2.1")) == "192.0.2.1"
    assert advertised_address(ApiServerConfig(bind_address="127.0.0.1")) == "127.0.0.1"
    assert advertised_address(ApiServerConfig()) not in ("", "0.0.0.0")
