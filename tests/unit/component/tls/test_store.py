"""Certificates in a folder: what is good is kept, what is not is made anew."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from kubewire.component.errors import CertificateError
from kubewire.component.tls.authority import hosts_of, is_signed_by
from kubewire.component.tls.store import CertificateStore, local_hosts

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def store(folder: Path, now: datetime = NOW) -> CertificateStore:
    """A store at a time."""
    return CertificateStore(folder, lambda: now)


def test_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    """Keys and certificates can be read by nobody else, nor can their folder."""
    folder = tmp_path / "pki"
    store(folder).server("apiserver", "kube-apiserver", ["localhost"])
    assert sorted(path.name for path in folder.iterdir()) == ["apiserver.crt", "apiserver.key", "ca.crt", "ca.key"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_server_certificate_is_for_its_hosts(tmp_path: Path) -> None:
    """Names and addresses stand in it, it serves and identifies no client, and the CA signed it."""
    certificates = store(tmp_path)
    hosts = ["localhost", "127.0.0.1", "::1", "kubernetes.default.svc"]
    issued = certificates.server("apiserver", "kube-apiserver", hosts)
    assert hosts_of(issued.certificate) == set(hosts)
    assert is_signed_by(issued.certificate, certificates.authority().issued.certificate)
    loaded = x509.load_pem_x509_certificate(issued.certificate)
    usages = loaded.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usages) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert not loaded.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_a_client_certificate_names_user_and_groups(tmp_path: Path) -> None:
    """The common name is the user, organizations are its groups."""
    issued = store(tmp_path).client("admin", "kubewire-admin", ("system:masters", "others"))
    subject = x509.load_pem_x509_certificate(issued.certificate).subject
    names = [entry.value for entry in subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    groups = [entry.value for entry in subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)]
    assert (names, groups) == (["kubewire-admin"], ["system:masters", "others"])


def test_what_is_good_is_kept(tmp_path: Path) -> None:
    """A second start changes nothing."""
    before = store(tmp_path).server("apiserver", "kube-apiserver", ["a", "b"])
    after = store(tmp_path, NOW + timedelta(days=300)).server("apiserver", "kube-apiserver", ["a"])
    assert after == before


@pytest.mark.parametrize(
    ("hosts", "later"), [(["a", "c"], timedelta()), (["a"], timedelta(days=340)), (["a"], timedelta(days=400))]
)
def test_what_lacks_a_host_or_ends_soon_is_made_anew(tmp_path: Path, hosts: list[str], later: timedelta) -> None:
    """The server is never left with a certificate that clients would refuse."""
    before = store(tmp_path).server("apiserver", "kube-apiserver", ["a", "b"])
    after = store(tmp_path, NOW + later).server("apiserver", "kube-apiserver", hosts)
    assert after.certificate != before.certificate
    assert set(hosts) <= hosts_of(after.certificate)


def test_what_another_authority_signed_is_made_anew(tmp_path: Path) -> None:
    """A certificate left over from another cluster is not used."""
    before = store(tmp_path).client("admin", "a")
    (tmp_path / "ca.crt").unlink()
    (tmp_path / "ca.key").unlink()
    after = store(tmp_path).client("admin", "a")
    assert after.certificate != before.certificate


def test_damaged_files_of_the_authority_are_an_error(tmp_path: Path) -> None:
    """The authority is never replaced silently: everyone who trusts it would be cut off."""
    store(tmp_path).authority()
    (tmp_path / "ca.key").unlink()
    with pytest.raises(CertificateError, match=r"ca\.key: missing, while .*ca\.crt is there"):
        store(tmp_path).authority()
    (tmp_path / "ca.key").write_text("nonsense")
    with pytest.raises(CertificateError, match="the authority's certificate or key cannot be read"):
        store(tmp_path).authority()


def test_damaged_certificates_are_made_anew(tmp_path: Path) -> None:
    """A half-written certificate of a server is replaced."""
    store(tmp_path).server("apiserver", "kube-apiserver", ["a"])
    (tmp_path / "apiserver.crt").write_text("nonsense")
    issued = store(tmp_path).server("apiserver", "kube-apiserver", ["a"])
    assert hosts_of(issued.certificate) == {"a"}


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """The error says which folder."""
    (tmp_path / "file").write_text("")
    with pytest.raises(CertificateError, match="file"):
        store(tmp_path / "file" / "pki").authority()


def test_local_hosts_are_named_once() -> None:
    """This machine as its own processes reach it, and what else is asked for."""
    hosts = local_hosts("localhost", "", "10.96.0.1")
    assert hosts[:3] == ("localhost", "127.0.0.1", "::1")
    assert hosts.count("localhost") == 1
    assert hosts[-1] == "10.96.0.1"
    assert "" not in hosts
