"""Tokens of service accounts, for the pods that show them to their containers."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from kubewire.api.authentication.v1.token_request_pb2 import TokenRequest
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.api.core.v1.service_account_pb2 import ServiceAccount
from kubewire.client.client import Client
from kubewire.client.objects import ObjectKey
from kubewire.component.log import Logger
from kubewire.kubelet.contracts import Token
from kubewire.machinery.errors import StatusError

_LOG: Final = Logger("kubelet.tokens")

_RENEW_AT_SHARE: Final = 0.8
_RENEW_AFTER_SECONDS: Final = 24 * 3600.0
"""However long a token would be good: what was stolen with a node's disk should not be for long."""

DEFAULT_ACCOUNT: Final = "default"


class _Use(NamedTuple):
    pod_uid: str
    account: str
    audience: str
    seconds: int


CreateToken = Callable[[ObjectKey, TokenRequest], Awaitable[TokenRequest]]
"""Asks the server for a token of a service account; raises StatusError."""


def token_calls(client: Client) -> CreateToken:
    """Asking through a client."""
    accounts = client.resource(ServiceAccount)

    async def create(account: ObjectKey, wanted: TokenRequest) -> TokenRequest:
        return await accounts.in_namespace(account.namespace).create_token(account.name, wanted)

    return create


class ServiceAccountTokens:
    """Tokens in memory, by pod (`contracts.Tokens`); nothing is written but the volumes' files."""

    def __init__(self, create: CreateToken, wall_clock: Callable[[], float] = time.time) -> None:
        self._create = create
        self._wall_clock = wall_clock
        self._tokens: dict[_Use, Token] = {}

    async def token(self, pod: Pod, audience: str, expiration_seconds: int) -> Token:
        """The token that is kept, or another if that is to be renewed.

        A server that is away costs nothing while the one that is kept is still good.

        Raises:
            StatusError: there is none, and none could be had.
        """
        account = pod.spec.serviceAccountName or DEFAULT_ACCOUNT
        use = _Use(pod.metadata.uid, account, audience, expiration_seconds)
        kept = self._tokens.get(use)
        if kept is not None and self._wall_clock() < kept.renew_at:
            return kept
        try:
            token = await self._request(pod, use)
        except StatusError as error:
            if kept is None or self._wall_clock() >= kept.expires_at:
                raise
            _LOG.warning("token not renewed", pod=pod.metadata.name, account=account, reason=error)
            return kept
        self._tokens[use] = token
        return token

    def forget(self, pod_uid: str) -> None:
        """Drop the tokens of a pod."""
        for use in [use for use in self._tokens if use.pod_uid == pod_uid]:
            del self._tokens[use]

    async def _request(self, pod: Pod, use: _Use) -> Token:
        wanted = TokenRequest()
        wanted.spec.expirationSeconds = use.seconds
        if use.audience:
            wanted.spec.audiences.append(use.audience)
        bound = wanted.spec.boundObjectRef
        bound.kind, bound.apiVersion = "Pod", "v1"
        bound.name, bound.uID = pod.metadata.name, use.pod_uid
        asked_at = self._wall_clock()
        answer = await self._create(ObjectKey(pod.metadata.namespace, use.account), wanted)
        expires_at = float(answer.status.expirationTimestamp.seconds)
        life = min((expires_at - asked_at) * _RENEW_AT_SHARE, _RENEW_AFTER_SECONDS)
        return Token(answer.status.token, expires_at, asked_at + life)
