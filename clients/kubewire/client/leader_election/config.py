"""How leadership is held and changes hands."""

from __future__ import annotations

from dataclasses import dataclass

JITTER_FACTOR = 1.2
"""A candidate's wait is `retry_seconds` and up to this much of it more."""


@dataclass(frozen=True, slots=True)
class ElectionConfig:
    """Times of an election; Kubernetes' defaults.

    Raises:
        ValueError: lease > renew deadline > 1.2 x retry does not hold; then two could lead at once, or one not be able
            to keep the lead.
    """

    lease_seconds: float = 15.0
    """Candidates that saw no renewal for this long take over; whole seconds, since the Lease holds them so."""

    renew_deadline_seconds: float = 10.0
    """A leader that could not renew for this long has stopped: shorter than the lease by what clocks may be off."""

    retry_seconds: float = 2.0
    """Time between renewals, and between looks of those who do not lead."""

    release_on_cancel: bool = True
    """Give the lease up on an orderly end, so that the next one need not wait for it to run out."""

    def __post_init__(self) -> None:
        if self.lease_seconds < 1 or self.lease_seconds != int(self.lease_seconds):
            raise ValueError(f"lease_seconds: want whole seconds, at least 1, got {self.lease_seconds}")
        if not self.lease_seconds > self.renew_deadline_seconds:
            raise ValueError(
                f"lease_seconds ({self.lease_seconds}) must be longer than renew_deadline_seconds "
                f"({self.renew_deadline_seconds})"
            )
        if not self.renew_deadline_seconds > JITTER_FACTOR * self.retry_seconds:
            raise ValueError(
                f"renew_deadline_seconds ({self.renew_deadline_seconds}) must be longer than {JITTER_FACTOR} times "
                f"retry_seconds ({self.retry_seconds})"
            )
        if self.retry_seconds <= 0:
            raise ValueError(f"retry_seconds: want more than 0, got {self.retry_seconds}")
