"""The folder that holds a cluster's certificates and keys: what is there and good is kept, the rest is made.

`ca.crt`, `ca.key`, then `<name>.crt` and `<name>.key` for each server and client. Only the owner can read any of them.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kubewire.component.errors import CertificateError
from kubewire.component.files import write_private

if TYPE_CHECKING:
    from kubewire.component.tls.authority import Authority, Issued

AUTHORITY: Final = "ca"
RENEW_BEFORE: Final = timedelta(days=30)
"""Certificates that end sooner are made anew at a start."""

_MODE: Final = 0o600


def _now() -> datetime:
    return datetime.now(UTC)


class CertificateStore:
    """Certificates in a folder, which is made if it is missing."""

    def __init__(self, folder: Path, now: Callable[[], datetime] = _now) -> None:
        self.folder: Final = folder
        self._now = now
        self._authority: Authority | None = None

    @property
    def authority_file(self) -> Path:
        """The certificate that clients of the cluster trust."""
        return self.folder / f"{AUTHORITY}.crt"

    def authority(self) -> Authority:
        """The cluster's authority.

        Raises:
            CertificateError: its files cannot be used.
        """
        from kubewire.component.tls.authority import Authority  # noqa: PLC0415 - only who signs loads cryptography

        if self._authority is None:
            kept = self._read(AUTHORITY)
            self._authority = Authority(kept) if kept else Authority.create("kubewire", self._now())
            if kept is None:
                self._write(AUTHORITY, self._authority.issued)
        return self._authority

    def server(self, name: str, common_name: str, hosts: Sequence[str]) -> Issued:
        """The certificate of a server that is reached at `hosts`; made anew when it lacks one of them.

        Raises:
            CertificateError: files cannot be used or written.
        """
        kept = self._read(name)
        if kept is not None and self._is_good(kept) and set(hosts) <= self._hosts(kept):
            return kept
        return self._write(name, self.authority().issue_server(common_name, hosts, self._now()))

    def client(self, name: str, common_name: str, organizations: Sequence[str] = ()) -> Issued:
        """The certificate that a client is known by: its user and its groups.

        Raises:
            CertificateError: files cannot be used or written.
        """
        kept = self._read(name)
        if kept is not None and self._is_good(kept):
            return kept
        return self._write(name, self.authority().issue_client(common_name, organizations, self._now()))

    def _is_good(self, issued: Issued) -> bool:
        from kubewire.component.tls.authority import is_signed_by, valid_until  # noqa: PLC0415

        ends = valid_until(issued.certificate)
        signed = is_signed_by(issued.certificate, self.authority().issued.certificate)
        return signed and ends - self._now() > RENEW_BEFORE

    @staticmethod
    def _hosts(issued: Issued) -> set[str]:
        from kubewire.component.tls.authority import hosts_of  # noqa: PLC0415

        return hosts_of(issued.certificate)

    def _read(self, name: str) -> Issued | None:
        from kubewire.component.tls.authority import Issued  # noqa: PLC0415

        certificate, key = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        try:
            return Issued(certificate.read_bytes(), key.read_bytes())
        except FileNotFoundError as error:
            if name == AUTHORITY and certificate.exists():
                # Making another would cut off everyone who trusts this one.
                raise CertificateError(f"{error.filename}: missing, while {certificate} is there") from None
            return None
        except OSError as error:
            raise CertificateError(f"{error.filename}: cannot be read: {error.strerror}") from None

    def _write(self, name: str, issued: Issued) -> Issued:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # The key first: a certificate whose key is missing would count as made.
            write_private(self.folder / f"{name}.key", issued.key)
            write_private(self.folder / f"{name}.crt", issued.certificate)
        except OSError as error:
            raise CertificateError(f"{self.folder}: {name} cannot be written: {error.strerror}") from None
        return issued


def local_hosts(*more: str) -> tuple[str, ...]:
    """Names and addresses of this machine as its own processes reach it, and `more`, each once."""
    return tuple(dict.fromkeys(_local(more)))


def _local(more: Sequence[str]) -> Iterator[str]:
    yield from ("localhost", "127.0.0.1", "::1", socket.gethostname())
    yield from (host for host in more if host)
