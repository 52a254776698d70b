"""What a single probe can come to."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

OUTPUT_AT_MOST: Final = 10 << 10
"""Bytes of an answer that are read, and that messages may quote of."""


class Outcome(StrEnum):
    """The values are those of metrics' label `result`; a probe that could not be made has none of them."""

    SUCCESS = "successful"
    FAILURE = "failed"


class Reply(NamedTuple):
    """A probe that was made.

    Attributes:
        warning: it counts as a success, and people should look at it all the same.
        refused: nothing listens where it was to connect to; nobody in the container has noticed it.
    """

    outcome: Outcome
    output: str = ""
    warning: bool = False
    refused: bool = False


SUCCESS: Final = Reply(Outcome.SUCCESS)


def failure(output: str, *, refused: bool = False) -> Reply:
    """The container said no, or nothing."""
    return Reply(Outcome.FAILURE, output, refused=refused)


class ProbeError(Exception):
    """A probe could not be made, which says nothing about the container; its text is for an event."""
