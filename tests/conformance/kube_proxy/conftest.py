"""Every backend of kube-proxy, each on an empty table of the test's own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from ipaddress import IPv4Network

import pytest

from kubewire.kube_proxy.backends.contracts import Backend
from kubewire.kube_proxy.backends.memory import MemoryBackend, MemoryTable
from kubewire.kube_proxy.backends.nftables.backend import NftablesBackend
from kubewire.kube_proxy.backends.nftables.kernel import Kernel
from kubewire.kube_proxy.backends.nftables.layout import Options
from tests.network_namespaces import NetworkNamespace

MakeBackend = Callable[[], Backend]


@pytest.fixture(params=["memory", "nftables"])
def make_backend(request: pytest.FixtureRequest) -> Iterator[MakeBackend]:
    """Makes backends of one kind over one table, as proxies that follow one another do."""
    with ExitStack() as stack:
        if request.param == "memory":
            table = MemoryTable()
            yield lambda: MemoryBackend(table)
            return
        namespace = stack.enter_context(NetworkNamespace("node"))

        def make() -> Backend:
            backend = NftablesBackend(namespace.call(Kernel), Options((IPv4Network("10.244.0.0/16"),)))
            stack.callback(backend.close)
            return backend

        yield make
