"""Who calls, and why: what a gRPC call carries in its metadata and its connection."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from kubewire.apiserver.auth.authentication import Credentials, bearer_token
from kubewire.apiserver.rpc.context import RpcContext
from kubewire.client.transport.metadata import AUTHORIZATION, CAUSE

if TYPE_CHECKING:
    from collections.abc import Iterable

    import grpc.aio

    from kubewire.apiserver.auth.authentication import Authentication

_CAUSE_CHARACTERS: Final = 512
_CERTIFICATE: Final = "x509_pem_cert"


def identify(context: grpc.aio.ServicerContext[bytes, bytes], authentication: Authentication) -> RpcContext:
    """The caller, known by a token, or by the client certificate of the connection.

    Raises:
        StatusError: 401, the caller is not known.
    """
    authorization = user_agent = cause = ""
    for key, value in context.invocation_metadata() or ():
        if isinstance(value, str):
            if key == AUTHORIZATION:
                authorization = value
            elif key == "user-agent":
                user_agent = value
            elif key == CAUSE:
                cause = unquote(value)[:_CAUSE_CHARACTERS]
    if authorization:
        credentials = Credentials(bearer=bearer_token(authorization))
    else:
        credentials = _certificate(context.auth_context().get(_CERTIFICATE, ()))
    return RpcContext(authentication.identify(credentials), user_agent, cause)


def _certificate(pems: Iterable[bytes]) -> Credentials:
    """Credentials of the verified client certificate, if the connection has one."""
    for pem in pems:
        return _subject(pem)
    return Credentials()


@lru_cache(maxsize=1024)
def _subject(pem: bytes) -> Credentials:
    """Common name and organizations of a certificate; read once per certificate, as every call asks."""
    from cryptography.x509 import load_pem_x509_certificate  # noqa: PLC0415 - few servers listen for certificates
    from cryptography.x509.oid import NameOID  # noqa: PLC0415

    subject = load_pem_x509_certificate(pem).subject
    names = [str(entry.value) for entry in subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    groups = tuple(str(entry.value) for entry in subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME))
    return Credentials(common_name=names[0] if names else "", organizations=groups)
