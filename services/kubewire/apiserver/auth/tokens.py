"""Static bearer tokens, as `--token-auth-file` has them: lines of `token,user,uid,"group,group"`.

A token is compared by its keyed digest: finding a digest in a table takes time that depends on nothing an attacker
can steer towards a stored token, and the memory of the server holds no token that could be stolen from it.
"""

from __future__ import annotations

import csv
import hashlib
import secrets
from collections.abc import Iterable
from typing import NamedTuple

from kubewire.apiserver.auth.authentication import Credentials, as_member
from kubewire.apiserver.contracts import Identity


class StaticToken(NamedTuple):
    """A token and whom it stands for."""

    token: str
    identity: Identity


class MalformedTokenFile(ValueError):
    """A line of a token file cannot be read: the operator's mistake, named with its line number."""


class TokenAuthenticator:
    """Knows callers by static bearer tokens."""

    def __init__(self, tokens: Iterable[StaticToken]) -> None:
        self._key = secrets.token_bytes(32)
        self._identities = {self._digest(item.token): item.identity for item in tokens}

    def identify(self, credentials: Credentials) -> Identity | None:
        """The token's owner; None without a token or for one that is not in the table."""
        if not credentials.bearer:
            return None
        return self._identities.get(self._digest(credentials.bearer))

    def _digest(self, token: str) -> bytes:
        return hashlib.blake2b(token.encode("utf-8", "surrogateescape"), key=self._key, digest_size=32).digest()


def parse_token_file(text: str) -> list[StaticToken]:
    """The tokens of a token file's text; blank lines and lines that start with `#` are skipped.

    Raises:
        MalformedTokenFile: a line has fewer than three columns, or an empty token or user.
    """
    return [
        _static_token(number, row)
        for number, row in enumerate(csv.reader(text.splitlines(), skipinitialspace=True), start=1)
        if row and not row[0].startswith("#")
    ]


def _static_token(line: int, row: list[str]) -> StaticToken:
    cells = [cell.strip() for cell in row]
    if len(cells) < 3:
        raise MalformedTokenFile(f"line {line}: want token,user,uid[,groups], got {len(cells)} column(s)")
    token, user, uid = cells[:3]
    if not token or not user:
        raise MalformedTokenFile(f"line {line}: token and user must not be empty")
    groups = cells[3].split(",") if len(cells) > 3 else []
    names = [group.strip() for group in groups if group.strip()]
    return StaticToken(token, as_member(user, uid=uid, groups=names))
