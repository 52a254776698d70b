"""The etcd client over TLS, with certificates on both sides."""

import datetime as dt
import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kubewire.apiserver.etcd.client import EtcdClient
from kubewire.apiserver.etcd.errors import Unavailable
from kubewire.apiserver.etcd.options import EtcdOptions
from kubewire.apiserver.etcd.watch import WatchSpec
from kubewire.etcd import rpc_pb2 as pb
from tests.etcd_process import EtcdProcess, find_free_port


@dataclass
class Authority:
    """A CA of the test's own that writes certificates into a folder."""

    folder: Path
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def file(self) -> Path:
        """The CA's certificate."""
        path = self.folder / "ca.pem"
        if not path.exists():
            path.write_bytes(self._signed("ca", self.key, is_ca=True).public_bytes(serialization.Encoding.PEM))
        return path

    def issue(self, name: str) -> tuple[Path, Path]:
        """Certificate and key, for the loopback address."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate_file, key_file = self.folder / f"{name}.pem", self.folder / f"{name}-key.pem"
        certificate_file.write_bytes(self._signed(name, key, is_ca=False).public_bytes(serialization.Encoding.PEM))
        key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return certificate_file, key_file

    def _signed(self, name: str, key: ec.EllipticCurvePrivateKey, *, is_ca: bool) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ca")]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=1))
            .not_valid_after(now + dt.timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([address]), critical=False)
            .sign(self.key, hashes.SHA256())
        )


@dataclass
class SecureEtcd(EtcdProcess):
    """An etcd that serves TLS only and asks clients for certificates; its health is told apart, in the clear."""

    authority: Authority = field(kw_only=True)
    health_port: int = field(default_factory=find_free_port)

    def _command(self) -> list[str]:
        certificate_file, key_file = self.authority.issue("server")
        client = f"http://{self.endpoint}"
        return [
            *(option.replace(client, client.replace("http", "https")) for option in super()._command()),
            f"--cert-file={certificate_file}",
            f"--key-file={key_file}",
            f"--trusted-ca-file={self.authority.file}",
            "--client-cert-auth",
            f"--listen-metrics-urls=http://127.0.0.1:{self.health_port}",
        ]

    def _is_healthy(self) -> bool:
        secured, self.client_port = self.client_port, self.health_port
        try:
            return super()._is_healthy()
        finally:
            self.client_port = secured


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """A CA."""
    return Authority(tmp_path)


@pytest.fixture
def secure_etcd(tmp_path: Path, authority: Authority) -> Iterator[SecureEtcd]:
    """An etcd that knows only this CA."""
    member = SecureEtcd(tmp_path, authority=authority)
    try:
        member.start()
        yield member
    finally:
        member.kill()


async def test_mutual_tls(secure_etcd: SecureEtcd, authority: Authority) -> None:
    """With the CA and a certificate of it, calls and watches work as without TLS."""
    certificate_file, key_file = authority.issue("client")
    options = EtcdOptions((f"https://{secure_etcd.endpoint}",), authority.file, certificate_file, key_file)
    client = EtcdClient(options)
    async with client.watch(WatchSpec(b"/a")) as watch:
        await client.put(pb.PutRequest(key=b"/a", value=b"v"))
        assert (await anext(watch)).events[0].kv.value == b"v"
    await client.close()


async def test_without_certificate(secure_etcd: SecureEtcd, authority: Authority) -> None:
    """Without a certificate of our own nothing is done, and it is known that nothing was."""
    client = EtcdClient(EtcdOptions((f"https://{secure_etcd.endpoint}",), authority.file, request_timeout_seconds=1.0))
    with pytest.raises(Unavailable):
        await client.range(pb.RangeRequest(key=b"/a"))
    await client.close()


async def test_unknown_authority(secure_etcd: SecureEtcd, authority: Authority, tmp_path: Path) -> None:
    """A member whose certificate is of another CA is not talked to."""
    other = Authority(tmp_path / "other")
    other.folder.mkdir()
    certificate_file, key_file = authority.issue("client")
    client = EtcdClient(
        EtcdOptions(
            (f"https://{secure_etcd.endpoint}",), other.file, certificate_file, key_file, request_timeout_seconds=1.0
        )
    )
    with pytest.raises(Unavailable):
        await client.put(pb.PutRequest(key=b"/a", value=b"v"))
    await client.close()


@pytest.mark.parametrize("url", ["ftp://127.0.0.1:1", "httpx://127.0.0.1:1"])
async def test_unknown_schemes(url: str) -> None:
    """An endpoint that cannot be understood says what it should look like."""
    with pytest.raises(ValueError, match="the scheme must be http, https or unix"):
        EtcdClient(EtcdOptions((url,)))
