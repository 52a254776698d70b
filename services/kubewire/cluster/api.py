"""The few questions that commands ask the API server, over REST with the standard library alone."""

from __future__ import annotations

import http.client
import json
import ssl
import urllib.error
import urllib.request
from typing import Final

from kubewire.cluster.home import Home

_SECONDS: Final = 5.0


class Unanswered(Exception):
    """It did not answer, or not with what was asked for; the text says what it said instead."""


class Api:
    """An API server as the cluster's admin sees it."""

    def __init__(self, home: Home, rest: str) -> None:
        self._rest = rest
        self._trust = ssl.create_default_context(cafile=str(home.pki / "ca.crt"))
        self._token = home.token.read_text().strip()

    def text(self, path: str, timeout_seconds: float = _SECONDS) -> str:
        """What it answers.

        Raises:
            Unanswered: anything but success.
        """
        headers = {"Authorization": f"Bearer {self._token}"}
        request = urllib.request.Request(f"https://{self._rest}{path}", headers=headers)  # it stands here
        try:
            with urllib.request.urlopen(request, timeout=timeout_seconds, context=self._trust) as answer:  # noqa: S310
                return str(answer.read().decode(errors="replace"))
        except urllib.error.HTTPError as error:
            raise Unanswered(error.read().decode(errors="replace").strip()) from None
        except (OSError, http.client.HTTPException) as error:
            raise Unanswered(str(error)) from None

    def objects(self, path: str) -> list[dict[str, object]]:
        """The items of a list.

        Raises:
            Unanswered: anything but a list.
        """
        try:
            items: list[dict[str, object]] = json.loads(self.text(path))["items"]
        except (ValueError, KeyError, TypeError) as error:
            raise Unanswered(f"{path}: no list: {error}") from None
        return items
