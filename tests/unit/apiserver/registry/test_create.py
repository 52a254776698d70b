"""Creating objects through the whole pipeline."""

import pytest

from kubewire.machinery.errors import StatusError
from tests.unit.apiserver.registry.cluster import Cluster


async def test_a_new_object_is_completed_and_stored(cluster: Cluster) -> None:
    """It gets a uid, a time of birth and a version, and can be read at once."""
    made = await cluster.create("configmaps", "default/", {"metadata": {"name": "a"}, "data": {"k": "v"}})
    meta = made["metadata"]
    assert (meta["namespace"], meta["name"], made["data"]) == ("default", "a", {"k": "v"})
    assert meta["uid"]
    assert meta["creationTimestamp"] == "2027-01-15T08:00:00Z"
    assert await cluster.get("configmaps", "default/a") == made


async def test_a_taken_name_is_a_conflict(cluster: Cluster) -> None:
    """409 AlreadyExists."""
    await cluster.create("configmaps", "default/", {"metadata": {"name": "a"}})
    with pytest.raises(StatusError, match=r'^configmaps "a" already exists$') as raised:
        await cluster.create("configmaps", "default/", {"metadata": {"name": "a"}})
    assert raised.value.code == 409
