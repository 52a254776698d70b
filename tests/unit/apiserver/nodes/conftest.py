"""What admission of nodes' writes is tried on."""

from tests.unit.apiserver.registry.conftest import cluster

__all__ = ("cluster",)
