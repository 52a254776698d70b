"""What every controller is made with, for one term of leadership."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random, SystemRandom
from typing import Protocol

from kubewire.client.client import Client
from kubewire.client.controller import Controller
from kubewire.client.events.recorder import EventRecorder
from kubewire.client.informer.shared import SharedInformers
from kubewire.controller_manager.config import ControllerManagerConfig
from kubewire.controller_manager.metrics import ControllerManagerMetrics


@dataclass(frozen=True, slots=True)
class Context:
    """The cluster as controllers reach it, and their clock and chance.

    Attributes:
        client: carries calls while the term lasts and not longer.
        informers: one cache a kind for all controllers.
        root_ca: the CA for pods, in PEM; empty if there is none to publish.
        wall_clock: seconds since the epoch, for comparison with times in objects.
    """

    client: Client
    informers: SharedInformers
    recorder: EventRecorder
    config: ControllerManagerConfig
    metrics: ControllerManagerMetrics
    root_ca: str = ""
    wall_clock: Callable[[], float] = time.time
    random: Random = field(default_factory=SystemRandom)


class Loops(Protocol):
    """One entry of the table at work."""

    @property
    def controllers(self) -> Sequence[Controller]:
        """Its reconcile loops, whose queues can be looked at."""
        ...

    async def run(self) -> None:
        """Work until cancelled."""
