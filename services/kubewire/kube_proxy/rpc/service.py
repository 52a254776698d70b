"""`kubewire.kube_proxy.v1.KubeProxyService`: rules desired and programmed, what differs, and how far programming is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Final, Protocol

from kubewire.component.grpc.server import Methods, serves
from kubewire.kube_proxy.cycle.loop import Loop
from kubewire.kube_proxy.desired.difference import difference
from kubewire.kube_proxy.desired.model import Frontend, Rule
from kubewire.kube_proxy.errors import BackendFailed
from kubewire.kube_proxy.v1 import kube_proxy_service_pb2 as messages
from kubewire.machinery import errors

_NO_TIMES: Final[Mapping[Frontend, float]] = {}


class Told(Protocol):
    """What is told about."""

    @property
    def mode(self) -> str:
        """Where rules are programmed."""
        ...

    @property
    def node_name(self) -> str:
        """The node this runs on."""
        ...

    @property
    def loop(self) -> Loop | None:
        """What programs; None before it starts."""
        ...


class _Selected(Protocol):
    namespace: str
    name: str


class KubeProxyService:
    """Fills `component.grpc.server.Service`."""

    name: Final = "kubewire.kube_proxy.v1.KubeProxyService"
    module: Final = "kubewire.kube_proxy.v1.kube_proxy_service_pb2"

    def __init__(self, told: Told) -> None:
        self._told = told
        self._clock = asyncio.get_running_loop().time

    @property
    def methods(self) -> Methods:
        """By name."""
        return {
            "ListDesiredRules": serves(messages.ListDesiredRulesRequest, self.list_desired_rules),
            "ListProgrammedRules": serves(messages.ListProgrammedRulesRequest, self.list_programmed_rules),
            "GetDifference": serves(messages.GetDifferenceRequest, self.get_difference),
            "GetStatus": serves(messages.GetStatusRequest, self.get_status),
        }

    async def list_desired_rules(self, request: messages.ListDesiredRulesRequest) -> messages.ListDesiredRulesResponse:
        """As decided last."""
        rules = self._loop().desired.rules.values()
        return messages.ListDesiredRulesResponse(rules=_messages(_selected(rules, request)))

    async def list_programmed_rules(
        self, request: messages.ListProgrammedRulesRequest
    ) -> messages.ListProgrammedRulesResponse:
        """Read now."""
        rules = (await self._read()).values()
        found = _messages(_selected(rules, request), self._loop().programmed_at)
        return messages.ListProgrammedRulesResponse(rules=found)

    async def get_difference(self, _: messages.GetDifferenceRequest) -> messages.GetDifferenceResponse:
        """Read now, and compared with what was decided last."""
        programmed = await self._read()
        found = difference(self._loop().desired.rules, programmed)
        return messages.GetDifferenceResponse(
            put=_messages(found.put), remove=_messages(programmed[frontend] for frontend in found.remove)
        )

    async def get_status(self, _: messages.GetStatusRequest) -> messages.GetStatusResponse:
        """What is known without asking anybody."""
        told = self._told
        answer = messages.GetStatusResponse(mode=told.mode, node_name=told.node_name)
        if told.loop is not None:
            since = told.loop.waiting_since
            answer.last_synced = told.loop.last_synced
            answer.waiting_seconds = 0.0 if since is None else self._clock() - since
            answer.services = len(told.loop.desired.services)
            answer.desired_rules = len(told.loop.desired.rules)
            answer.programmed_rules = len(told.loop.programmed)
        return answer

    def _loop(self) -> Loop:
        if self._told.loop is None:
            raise errors.service_unavailable("kube-proxy is starting: ask again in a moment")
        return self._told.loop

    async def _read(self) -> dict[Frontend, Rule]:
        try:
            return await self._loop().read()
        except BackendFailed as error:
            raise errors.service_unavailable(str(error)) from None


def _selected(rules: Iterable[Rule], request: _Selected) -> Iterable[Rule]:
    if not request.namespace:
        return rules
    service = f"{request.namespace}/{request.name}"
    if not request.name:
        return (rule for rule in rules if rule.service.startswith(service))
    return (rule for rule in rules if rule.service.partition(":")[0] == service)


def _messages(rules: Iterable[Rule], programmed_at: Mapping[Frontend, float] = _NO_TIMES) -> list[messages.Rule]:
    ordered = sorted(rules, key=lambda rule: (rule.service, str(rule.frontend)))
    return [_message(rule, programmed_at.get(rule.frontend, 0.0)) for rule in ordered]


def _message(rule: Rule, programmed_at: float) -> messages.Rule:
    frontend = rule.frontend
    return messages.Rule(
        service=rule.service,
        address=frontend.address,
        protocol=frontend.protocol,
        port=frontend.port,
        scope=frontend.scope.value,
        targets=[messages.Target(address=one.address, port=one.port, local=one.is_local) for one in rule.targets],
        otherwise=rule.otherwise.value,
        masquerade=rule.masquerade.value,
        affinity_seconds=rule.affinity_seconds,
        programmed_at=programmed_at,
    )
