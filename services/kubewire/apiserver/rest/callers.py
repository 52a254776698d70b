"""Who sends a request: known once per connection for some seconds, and whom they ask to act as.

Authenticating takes longer than finding the object, and clients send the same header on one connection for hours;
upstream remembers tokens for ten seconds, so do connections here. Impersonation follows Kubernetes' headers: whoever
may `impersonate` a user, group, uid or extra is treated as that user.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from kubewire.apiserver.auth.account_authentication import groups_of
from kubewire.apiserver.auth.account_claims import PREFIX as ACCOUNT_PREFIX
from kubewire.apiserver.auth.authentication import Authentication, as_member
from kubewire.apiserver.auth.authorization import Attributes, Authorization
from kubewire.apiserver.contracts import Extra, Identity
from kubewire.apiserver.rest.request import Request
from kubewire.machinery import errors

if TYPE_CHECKING:
    from multidict import CIMultiDictProxy

REMEMBERED_SECONDS: Final = 10.0

_USER: Final = "Impersonate-User"
_UID: Final = "Impersonate-Uid"
_GROUP: Final = "Impersonate-Group"
_EXTRA: Final = "impersonate-extra-"
_GROUP_OF_EXTRAS: Final = "authentication.k8s.io"


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
        extra = _extra_of(headers)
        uid, groups = headers.get(_UID, ""), headers.getall(_GROUP, [])
        self._require_user(caller, name)
        for group in groups:
            self._authorization.require(Attributes(caller, "impersonate", "", "v1", "groups", name=group))
        if uid:
            self._require(caller, "uids", uid)
        for key, values in extra:
            for value in values:
                self._require(caller, "userextras", value, subresource=key)
        return as_member(name, uid=uid, groups=groups or _groups_of(name), extra=extra)

    def _require(self, caller: Identity, what: str, name: str, *, subresource: str = "") -> None:
        asked = Attributes(caller, "impersonate", _GROUP_OF_EXTRAS, "v1", what, subresource, name=name)
        self._authorization.require(asked)

    def _require_user(self, caller: Identity, name: str) -> None:
        if name.startswith(ACCOUNT_PREFIX):
            namespace, _, account = name.removeprefix(ACCOUNT_PREFIX).partition(":")
            asked = Attributes(caller, "impersonate", "", "v1", "serviceaccounts", namespace=namespace, name=account)
        else:
            asked = Attributes(caller, "impersonate", "", "v1", "users", name=name)
        self._authorization.require(asked)


def _groups_of(name: str) -> list[str]:
    """Groups a service account is in without saying so."""
    if not name.startswith(ACCOUNT_PREFIX):
        return []
    namespace = name.removeprefix(ACCOUNT_PREFIX).partition(":")[0]
    return [*groups_of(namespace)]


def _extra_of(headers: CIMultiDictProxy[str]) -> Extra:
    """What headers give the user besides name and groups: keys in lower case and percent-encoded."""
    found: dict[str, list[str]] = {}
    for key, value in headers.items():
        if key.lower().startswith(_EXTRA):
            found.setdefault(unquote(key[len(_EXTRA) :].lower()), []).append(value)
    return tuple((key, tuple(values)) for key, values in sorted(found.items()))
