"""The stack every test here talks to."""

from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest
import pytest_asyncio

from tests.etcd_process import running_etcd
from tests.integration.rest.rest_stack import RestStack, rest_stack


@pytest.fixture(scope="module")
def etcd_of_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One etcd for all tests of a file."""
    with running_etcd(tmp_path_factory.mktemp("etcd")) as member:
        yield member.endpoint


@pytest_asyncio.fixture
async def stack(etcd_of_module: str) -> AsyncIterator[RestStack]:
    """A fresh server."""
    async with rest_stack(etcd_of_module) as running:
        yield running


@pytest.fixture
def http(stack: RestStack) -> aiohttp.ClientSession:
    """Talks to the server as the admin."""
    return stack.session
