"""Pods run under accounts that exist."""

import json
from dataclasses import replace

import pytest

from kubewire.apiserver.contracts import Patch, PatchType
from kubewire.apiserver.options import WriteOptions
from kubewire.apiserver.registry.accounts import PodAccounts
from kubewire.apiserver.registry.builder import build_objects
from kubewire.machinery.errors import StatusError
from tests.unit.apiserver.registry.cluster import Cluster, Json, to_json

ACCOUNT: Json = {"metadata": {"name": "default"}}
MIRROR = {"kubernetes.io/config.mirror": "x"}


@pytest.fixture
def strict(cluster: Cluster) -> Cluster:
    """A registry that wants accounts."""
    core = replace(cluster.core, accounts=PodAccounts())
    return Cluster(core, build_objects(core), cluster.store)


def pod(annotations: dict[str, str] | None = None, **spec: object) -> Json:
    """A pod."""
    meta = {"name": "p", "annotations": annotations or {}}
    return {"metadata": meta, "spec": {"containers": [{"name": "c", "image": "i"}], **spec}}


async def test_the_account_must_exist(strict: Cluster) -> None:
    """403 as stock servers say it, for the default and for a named one."""
    why = 'pods "p" is forbidden: error looking up service account default/%s: serviceaccount "%s" not found'
    for name, made in (("default", pod()), ("joe", pod(serviceAccountName="joe"))):
        with pytest.raises(StatusError) as raised:
            await strict.create("pods", "default/", made)
        assert (raised.value.code, raised.value.message) == (403, why % (name, name))


async def test_an_account_as_new_as_the_pod_counts(strict: Cluster) -> None:
    """The store is asked when the cache does not know it."""
    await strict.create("serviceaccounts", "default/", ACCOUNT)
    made = await strict.create("pods", "default/", pod())
    assert made["spec"]["serviceAccountName"] == "default"
    assert made["spec"]["volumes"][0]["name"].startswith("kube-api-access-")
    assert made["spec"]["containers"][0]["volumeMounts"][0]["name"] == made["spec"]["volumes"][0]["name"]


async def test_what_the_account_says_is_followed_when_it_changes(strict: Cluster) -> None:
    """Not as it was when it was first read."""
    await strict.create("serviceaccounts", "default/", ACCOUNT)
    await strict.get("serviceaccounts", "default/default")
    assert "volumes" in (await strict.create("pods", "default/", pod()))["spec"]
    await strict.update("serviceaccounts", "default/default", {**ACCOUNT, "automountServiceAccountToken": False})
    await strict.get("serviceaccounts", "default/default")
    other = {**pod(), "metadata": {"name": "q"}}
    assert "volumes" not in (await strict.create("pods", "default/", other))["spec"]


async def test_mirrors_of_static_pods_have_none(strict: Cluster) -> None:
    """And may not name any, nor have secrets."""
    made = await strict.create("pods", "default/", pod(MIRROR, nodeName="n"))
    assert "serviceAccountName" not in made["spec"]
    secret: Json = {"name": "v", "secret": {"secretName": "s"}}
    token: Json = {"name": "v", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}
    for spec, why in (
        ({"serviceAccountName": "a"}, "may not reference service accounts"),
        ({"volumes": [secret]}, "may not reference secrets"),
        ({"volumes": [token]}, "may not use ServiceAccountToken volume projections"),
    ):
        with pytest.raises(StatusError, match=f"a mirror pod {why}"):
            await strict.create("pods", "default/", pod(MIRROR, nodeName="n", **spec))


async def test_applied_pods_are_no_exception(strict: Cluster) -> None:
    """Whichever way a pod is created."""
    config = b'{"apiVersion": "v1", "kind": "Pod", ' + json.dumps(pod()).encode()[1:]
    patch, options = Patch(PatchType.APPLY_YAML, config), WriteOptions(field_manager="me")
    with pytest.raises(StatusError, match="error looking up service account"):
        await strict.objects.patch(strict.call("pods", "default/p"), patch, options)
    await strict.create("serviceaccounts", "default/", ACCOUNT)
    written = await strict.objects.patch(strict.call("pods", "default/p"), patch, options)
    assert "volumes" in to_json(written.item)["spec"]
