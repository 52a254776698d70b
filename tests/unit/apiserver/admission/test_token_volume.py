"""What a pod is given with its account."""

from random import Random
from typing import cast

import pytest

from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.apiserver.admission.token_volume import MOUNT_PATH, AccountRules, follow_account
from kubewire.machinery.codec.decode import decode
from kubewire.machinery.codec.encode import to_dict
from kubewire.machinery.json_value import JsonArray, JsonObject

PLAIN = AccountRules(None, ())


def given(spec: JsonObject, rules: AccountRules = PLAIN) -> JsonObject:
    """What becomes of a pod's spec."""
    pod = decode({"spec": {"containers": [{"name": "c"}], **spec}}, Pod)
    follow_account(pod, rules, Random(1))
    return cast("JsonObject", to_dict(pod)["spec"])


def mounts(spec: JsonObject) -> list[JsonArray]:
    """The mounts of each container, initial ones first."""
    both = cast("list[JsonObject]", spec.get("initContainers", [])) + cast("list[JsonObject]", spec["containers"])
    return [cast("JsonArray", container.get("volumeMounts", [])) for container in both]


def test_the_volume_is_that_of_stock_clusters() -> None:
    """Token, authority, namespace, in this order; readable by all."""
    spec = given({})
    [volume] = cast("list[JsonObject]", spec["volumes"])
    name = str(volume["name"])
    assert name.startswith("kube-api-access-")
    assert len(name) == len("kube-api-access-") + 5
    field = {"apiVersion": "v1", "fieldPath": "metadata.namespace"}
    assert volume["projected"] == {
        "defaultMode": 420,
        "sources": [
            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": field}]}},
        ],
    }
    assert mounts(spec) == [[{"name": name, "readOnly": True, "mountPath": MOUNT_PATH}]]


def test_every_container_mounts_it_unless_something_is_there() -> None:
    """Initial containers as well; nobody's own mount is covered."""
    own: JsonObject = {"name": "v", "mountPath": MOUNT_PATH}
    containers: JsonArray = [{"name": "c", "volumeMounts": [own]}, {"name": "d"}]
    spec = given({"initContainers": [{"name": "i"}], "containers": containers, "volumes": [{"name": "v"}]})
    names = [[cast("JsonObject", mount)["name"] for mount in one] for one in mounts(spec)]
    token = cast("list[JsonObject]", spec["volumes"])[1]["name"]
    assert names == [[token], ["v"], [token]]
    assert "volumes" not in given({"containers": [{"name": "c", "volumeMounts": [own]}]})


def test_a_volume_that_is_there_is_used() -> None:
    """As in pods that are copied from others."""
    spec = given({"volumes": [{"name": "kube-api-access-abcde"}]})
    assert [volume["name"] for volume in cast("list[JsonObject]", spec["volumes"])] == ["kube-api-access-abcde"]
    assert cast("JsonObject", mounts(spec)[0][0])["name"] == "kube-api-access-abcde"


@pytest.mark.parametrize(
    ("pod", "account", "mounted"),
    [(None, None, True), (None, False, False), (None, True, True), (True, False, True), (False, True, False)],
)
def test_who_decides(pod: bool | None, account: bool | None, mounted: bool) -> None:  # noqa: FBT001 - a table
    """The pod, then the account, then yes."""
    spec = given({} if pod is None else {"automountServiceAccountToken": pod}, AccountRules(account, ()))
    assert ("volumes" in spec) is mounted


def test_secrets_for_images() -> None:
    """The account's, unless the pod has its own."""
    rules = AccountRules(None, ("a", "b"))
    assert given({}, rules)["imagePullSecrets"] == [{"name": "a"}, {"name": "b"}]
    assert given({"imagePullSecrets": [{"name": "x"}]}, rules)["imagePullSecrets"] == [{"name": "x"}]
