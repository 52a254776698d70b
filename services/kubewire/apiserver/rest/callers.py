"""Who sends a request: known once per connection for some seconds, and whom they ask to act as.

Authenticating takes longer than finding the object, and clients send the same header on one connection for hours;
upstream remembers tokens for ten seconds, so do connections here. Impersonation follows Kubernetes' headers: whoever
may `impersonate` a user, group or uid is treated as that user.
"""

from __future__ import annotations

from typing import Final

from kubewire.apiserver.auth.authentication import Authentication, as_member
from kubewire.apiserver.auth.authorization import Attributes, Authorization
from kubewire.apiserver.contracts import Identity
from kubewire.apiserver.rest.request import Request
from kubewire.machinery import errors

REMEMBERED_SECONDS: Final = 10.0

_USER: Final = "Impersonate-User"
_UID: Final = "Impersonate-Uid"
_GROUP: Final = "Impersonate-Group"
_EXTRA: Final = "impersonate-extra-"
_ACCOUNT_PREFIX: Final = "system:serviceaccount:"


class Callers:
    """Tells who sends a request."""

    def __init__(self, authentication: Authentication, authorization: Authorization) -> None:
        self._authentication = authentication
        self._authorization = authorization

    def identify(self, request: Request) -> Identity:
        """The user the request counts as sent by.

        Raises:
            StatusError: 401, nobody known; 403, the caller may not act as whom they name.
        """
        connection, header = request.connection, request.headers.get("Authorization", "")
        known = connection.caller
        if known is not None and connection.caller_header == header and request.started < connection.caller_until:
            identity = known
        else:
            identity = self._authentication.identify(request.credentials)
            connection.caller = identity
            connection.caller_header = header
            connection.caller_until = request.started + REMEMBERED_SECONDS
        if _USER in request.headers or _GROUP in request.headers or _UID in request.headers:
            return self._impersonated(request, identity)
        return identity

    def _impersonated(self, request: Request, caller: Identity) -> Identity:
        headers = request.message.headers
        name = headers.get(_USER, "")
        if not name:
            raise errors.bad_request("requested to impersonate a group or uid without impersonating a user")
        if any(key.lower().startswith(_EXTRA) for key in headers):
            raise errors.bad_request("Impersonate-Extra headers are not supported: users have no extra fields here")
        uid, groups = headers.get(_UID, ""), headers.getall(_GROUP, [])
        self._require_user(caller, name)
        for group in groups:
            self._authorization.require(Attributes(caller, "impersonate", "", "v1", "groups", name=group))
        if uid:
            asked = Attributes(caller, "impersonate", "authentication.k8s.io", "v1", "uids", name=uid)
            self._authorization.require(asked)
        return as_member(name, uid=uid, groups=groups or _groups_of(name))

    def _require_user(self, caller: Identity, name: str) -> None:
        if name.startswith(_ACCOUNT_PREFIX):
            namespace, _, account = name.removeprefix(_ACCOUNT_PREFIX).partition(":")
            asked = Attributes(caller, "impersonate", "", "v1", "serviceaccounts", namespace=namespace, name=account)
        else:
            asked = Attributes(caller, "impersonate", "", "v1", "users", name=name)
        self._authorization.require(asked)


def _groups_of(name: str) -> list[str]:
    """Groups a service account is in without saying so."""
    if not name.startswith(_ACCOUNT_PREFIX):
        return []
    namespace = name.removeprefix(_ACCOUNT_PREFIX).partition(":")[0]
    return ["system:serviceaccounts", f"system:serviceaccounts:{namespace}"]
