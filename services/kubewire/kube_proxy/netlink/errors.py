"""What the kernel answers that is no success.

OSError
└── Refused              the kernel did not do what a message asked for; nothing of its transaction was done
    └── Interrupted      what was read changed meanwhile: read again
"""

from __future__ import annotations

import os


class Refused(OSError):
    """The kernel refused a message; `errno` says why, the text what it was."""

    def __init__(self, number: int, what: str) -> None:
        super().__init__(number, f"{what}: {os.strerror(number)}")


class Interrupted(Refused):
    """A dump is of several states; it is to be asked for again."""
