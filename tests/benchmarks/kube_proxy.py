"""kube-proxy: deciding, programming and reading 1,000 Services of 5 endpoints, and changing one endpoint of them.

Against the real kernel, in a network namespace of the benchmark's own, with the same change through the program `nft`
beside it.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from ipaddress import IPv4Network
from statistics import median

from kubewire.api.core.v1.service_pb2 import Service
from kubewire.api.discovery.v1.endpoint_slice_pb2 import EndpointSlice
from kubewire.client.objects import key_of
from kubewire.kube_proxy.backends.nftables.backend import NftablesBackend
from kubewire.kube_proxy.backends.nftables.kernel import Kernel
from kubewire.kube_proxy.backends.nftables.layout import Options
from kubewire.kube_proxy.desired.desired_state import DesiredState
from kubewire.kube_proxy.desired.difference import Difference, difference
from kubewire.kube_proxy.desired.services import Settings, proxied
from tests.benchmarks.report import Row
from tests.network_namespaces import NetworkNamespace

_SERVICES = 1000
_ENDPOINTS = 5
_REPEATS = 50
_SETTINGS = Settings("n1")
_OPTIONS = Options((IPv4Network("10.244.0.0/16"),))


async def measure() -> AsyncIterator[Row]:
    """One row an operation: the median of several, or the best of five where each takes long."""
    objects = [(_service(number), _slice(number)) for number in range(_SERVICES)]
    with NetworkNamespace("node") as namespace:
        backend = NftablesBackend(namespace.call(Kernel), _OPTIONS)
        state = DesiredState()
        name = f"kube-proxy, {_SERVICES} Services x {_ENDPOINTS}"
        yield Row(f"{name}: decide all", await _best(lambda: _decide(state, objects)), "ms")

        async def anew() -> None:
            await backend.clear()
            await backend.read()

        yield Row(f"{name}: program all", await _best(lambda: backend.apply(difference(state.rules, {})), anew), "ms")
        yield Row(f"{name}: read and compare all", await _best(lambda: _compare(backend, state)), "ms")
        yield Row(f"{name}: look whether touched", await _best(backend.was_touched), "ms")
        yield Row(f"{name}: one endpoint changes", await _one_change(backend, state, objects), "ms")
        yield Row(f"{name}: the same through nft", _through_nft(namespace), "ms", note="process and parser included")
        backend.close()


async def _decide(state: DesiredState, objects: list[tuple[Service, EndpointSlice]]) -> None:
    for service, one in objects:
        state.put(key_of(service), proxied(service, [one], _SETTINGS))


async def _compare(backend: NftablesBackend, state: DesiredState) -> None:
    found = await backend.read()
    assert not found.damage
    assert not difference(state.rules, found.rules)


async def _one_change(
    backend: NftablesBackend, state: DesiredState, objects: list[tuple[Service, EndpointSlice]]
) -> float:
    """From a changed slice to its being programmed: one endpoint goes or comes back."""
    times = []
    programmed = dict(state.rules)
    for number in range(_REPEATS):
        service, one = objects[number % 2]
        endpoint = one.endpoints[number // 2 % _ENDPOINTS]
        endpoint.conditions.ready = not endpoint.conditions.ready
        begun = time.perf_counter()
        touched = state.put(key_of(service), proxied(service, [one], _SETTINGS))
        changes: Difference = difference(state.rules, programmed, touched)
        await backend.apply(changes)
        times.append(time.perf_counter() - begun)
        programmed.update((rule.frontend, rule) for rule in changes.put)
    return median(times) * 1000


def _through_nft(namespace: NetworkNamespace) -> float:
    times = []
    key = "10.96.0.1 . tcp . 81 . 0x00000000"
    for number in range(10):
        verb, value = ("delete", "") if number % 2 else ("add", " : 10.244.0.1 . 80")
        command = ["nsenter", f"--net={namespace.path}", "nft", "-f", "-"]
        text = f"{verb} element ip kubewire endpoints {{ {key}{value} }}\n"
        begun = time.perf_counter()
        subprocess.run(command, input=text, text=True, check=True)
        times.append(time.perf_counter() - begun)
    return median(times) * 1000


async def _nothing() -> None:
    pass


async def _best(work: Callable[[], Awaitable[object]], before: Callable[[], Awaitable[None]] = _nothing) -> float:
    times = []
    for _ in range(5):
        await before()
        begun = time.perf_counter()
        await work()
        times.append(time.perf_counter() - begun)
    return min(times) * 1000


def _service(number: int) -> Service:
    made = Service()
    made.metadata.name, made.metadata.namespace = f"web-{number}", "default"
    made.spec.clusterIP = f"10.96.{number // 250}.{number % 250 + 1}"
    made.spec.clusterIPs.append(made.spec.clusterIP)
    made.spec.ports.add(name="http", port=80, protocol="TCP")
    return made


def _slice(number: int) -> EndpointSlice:
    made = EndpointSlice(addressType="IPv4")
    made.ports.add(name="http", port=8080, protocol="TCP")
    for place in range(_ENDPOINTS):
        address = number * _ENDPOINTS + place
        node = f"n{place % 3 + 1}"
        endpoint = made.endpoints.add(addresses=[f"10.244.{address // 250}.{address % 250 + 1}"], nodeName=node)
        endpoint.conditions.ready = True
    return made
