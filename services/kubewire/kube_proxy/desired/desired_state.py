"""All that is desired, Service by Service, and what a change of one of them changes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from kubewire.client.objects import ObjectKey
from kubewire.kube_proxy.desired.model import Frontend, Rule
from kubewire.kube_proxy.desired.services import HealthCheck, Proxied


class DesiredState:
    """Two Services may ask for the same frontend, as nothing keeps external addresses apart: the first by name has it.

    Attributes:
        rules: what is desired, by frontend. Read-only.
        health_checks: what is to be answered to load balancers, by Service. Read-only.
    """

    def __init__(self) -> None:
        self.rules: Final[dict[Frontend, Rule]] = {}
        self.health_checks: Final[dict[ObjectKey, HealthCheck]] = {}
        self._by_service: dict[ObjectKey, tuple[Frontend, ...]] = {}
        self._asked: dict[Frontend, dict[ObjectKey, Rule]] = {}

    @property
    def services(self) -> Mapping[ObjectKey, tuple[Frontend, ...]]:
        """Frontends by Service."""
        return self._by_service

    def put(self, service: ObjectKey, wanted: Proxied) -> set[Frontend]:
        """Replace what a Service asks for; returns the frontends whose rule may differ now."""
        touched = set(self._by_service.pop(service, ()))
        for frontend in touched:
            self._asked[frontend].pop(service, None)
        for rule in wanted.rules:
            self._asked.setdefault(rule.frontend, {}).setdefault(service, rule)
            touched.add(rule.frontend)
        if wanted.rules:
            self._by_service[service] = tuple(dict.fromkeys(rule.frontend for rule in wanted.rules))
        self._settle(touched)
        if wanted.health_check is None:
            self.health_checks.pop(service, None)
        else:
            self.health_checks[service] = wanted.health_check
        return touched

    def _settle(self, frontends: Iterable[Frontend]) -> None:
        for frontend in frontends:
            asked = self._asked[frontend]
            if asked:
                self.rules[frontend] = asked[min(asked)]
            else:
                del self._asked[frontend]
                self.rules.pop(frontend, None)
