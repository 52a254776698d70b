"""Continue tokens: where a list that is served in pages goes on, and at which revision.

The form is Kubernetes' own, so that a list begun at one server can go on at another, whoever wrote that one.
"""

from __future__ import annotations

import base64
import binascii
from typing import NamedTuple

import orjson

from kubewire.apiserver.cache.failures import continue_invalid
from kubewire.machinery.quoting import quote

_FORM = "meta.k8s.io/v1"
INCONSISTENT = -1
"""As a token's revision: go on with what there is now. Kubernetes offers it when a list's revision is gone."""


class Continuation(NamedTuple):
    """What is left of a list: keys from `start` on, at `revision` (INCONSISTENT: at the newest)."""

    revision: int
    start: str

    def encode(self, prefix: str) -> str:
        """The token; `prefix` is the part of every key that the list's own path names already (`namespace/`)."""
        body = orjson.dumps({"v": _FORM, "rv": self.revision, "start": self.start.removeprefix(prefix)})
        return base64.urlsafe_b64encode(body).rstrip(b"=").decode()


def decode(token: str, prefix: str) -> Continuation:
    """What a token says.

    Raises:
        StatusError: BadRequest, if it is not a token of a list of this kind.
    """
    fields = _fields(token)
    form, revision, start = fields.get("v"), fields.get("rv"), fields.get("start")
    if form != _FORM:
        raise continue_invalid(
            f"continue key is not valid: server does not recognize this encoded version {quote(str(form or ''))}"
        )
    if type(revision) is not int or revision == 0 or revision < INCONSISTENT:
        raise continue_invalid(f"continue key is not valid: incorrect encoded start resourceVersion (version {_FORM})")
    if not isinstance(start, str) or not start:
        raise continue_invalid(f"continue key is not valid: encoded start key empty (version {_FORM})")
    if any(part in {"..", "."} for part in start.split("/")) or start.startswith("/"):
        raise continue_invalid(f"continue key is not valid: {start}")
    return Continuation(revision, prefix + start)


def _fields(token: str) -> dict[str, object]:
    try:
        body = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        fields = orjson.loads(body)
    except (binascii.Error, ValueError) as error:
        raise continue_invalid(f"continue key is not valid: {error}") from None
    if not isinstance(fields, dict):
        raise continue_invalid("continue key is not valid: not an object")
    return fields
