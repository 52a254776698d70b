"""For pytest: import these into a `conftest.py`, or name this module with `-p`.

from kubewire.client.testing.pytest_plugin import mutation_detector, pytest_asyncio_loop_factories
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping

import pytest

from kubewire.client.informer.mutation import MutationDetector, detecting_mutations
from kubewire.client.testing.virtual_time import VirtualTimeLoop


@pytest.fixture(autouse=True)
def mutation_detector() -> Iterator[MutationDetector]:
    """Fails a test that changed an object of an informer's cache."""
    with detecting_mutations() as detector:
        yield detector


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """For pytest-asyncio: coroutine tests run in virtual time."""
    return {"virtual": VirtualTimeLoop}
