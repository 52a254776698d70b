"""Default contexts that read the system's authorities late."""

import ssl

import pytest

from kubewire.component.tls.late_authorities import LateContext, late_authorities


def test_a_default_context_reads_authorities_when_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """It verifies as any default context does, and asks the system only once and only when it wraps something."""
    asked = []
    monkeypatch.setattr(ssl.SSLContext, "load_default_certs", lambda self, *_: asked.append(self))
    with late_authorities():
        context = ssl.create_default_context()
    assert isinstance(context, LateContext)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert asked == []
    for _ in range(2):
        context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="example.org")
    assert asked == [context]


def test_everything_else_is_as_always(tmp_path: object) -> None:
    """Contexts that ask for anything special are ordinary, and afterwards all are."""
    with late_authorities():
        special = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    assert type(special) is ssl.SSLContext
    assert type(ssl.create_default_context(cadata=None, purpose=ssl.Purpose.CLIENT_AUTH)) is ssl.SSLContext
    assert "set_default_verify_paths" not in vars(ssl.SSLContext)
    assert ssl.create_default_context.__module__ == "ssl"
