"""Coroutine tests run in virtual time, where a deadlock is an error."""

from kubewire.client.testing.pytest_plugin import pytest_asyncio_loop_factories

__all__ = ["pytest_asyncio_loop_factories"]
