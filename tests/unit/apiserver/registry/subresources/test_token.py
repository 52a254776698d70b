"""Tokens for service accounts."""

from dataclasses import replace
from typing import Any

import jwt
import pytest

from kubewire.apiserver.auth.authentication import as_member
from kubewire.apiserver.auth.cluster_tokens import ClusterTokens
from kubewire.apiserver.auth.token_keys import make_signing_key, read_signing_key
from kubewire.apiserver.options import WriteOptions
from kubewire.apiserver.registry.builder import build_objects
from kubewire.machinery.errors import StatusError
from tests.unit.apiserver.registry.cluster import PLAIN, START_SECONDS, Cluster, Json, body, to_json

MESSAGE = "k8s.io.api.authentication.v1.TokenRequest"
TOKENS = ClusterTokens("https://me", (), read_signing_key(make_signing_key()[0]))
CONTAINERS = [{"name": "c", "image": "i"}]
POD: Json = {"metadata": {"name": "p"}, "spec": {"serviceAccountName": "a", "containers": CONTAINERS}}


@pytest.fixture
async def issuing(cluster: Cluster) -> Cluster:
    """A registry that signs, and an account."""
    core = replace(cluster.core, issuer=TOKENS)
    made = Cluster(core, build_objects(core), cluster.store)
    await made.create("serviceaccounts", "default/", {"metadata": {"name": "a"}})
    return made


async def ask(cluster: Cluster, spec: Json, options: WriteOptions = PLAIN, account: str = "a") -> dict[str, Any]:
    """The answer to a request for a token."""
    call = cluster.call("serviceaccounts/token", f"default/{account}")
    written = await cluster.objects.create(call, body({"spec": spec}), options)
    assert written.created
    return to_json(written.item, MESSAGE)


def claims_of(answer: dict[str, Any]) -> dict[str, Any]:
    """What its token says."""
    found: dict[str, Any] = jwt.decode(answer["status"]["token"], options={"verify_signature": False})
    return found


async def refused(cluster: Cluster, spec: Json, account: str = "a") -> tuple[int, str]:
    """Code and message of a refusal."""
    with pytest.raises(StatusError) as raised:
        await ask(cluster, spec, account=account)
    return raised.value.code, raised.value.message


async def test_a_plain_token(issuing: Cluster) -> None:
    """For this server, for an hour."""
    answer = await ask(issuing, {})
    assert answer["spec"]["expirationSeconds"] == 3600
    assert answer["spec"]["audiences"] == ["https://me"]
    assert (answer["metadata"]["name"], answer["metadata"]["namespace"]) == ("a", "default")
    claims = claims_of(answer)
    assert (claims["iat"], claims["exp"], claims["aud"]) == (START_SECONDS, START_SECONDS + 3600, ["https://me"])
    uid = (await issuing.get("serviceaccounts", "default/a"))["metadata"]["uid"]
    assert claims["kubernetes.io"] == {"namespace": "default", "serviceaccount": {"name": "a", "uid": uid}}


async def test_tokens_are_their_own(issuing: Cluster) -> None:
    """No two have the same id."""
    assert claims_of(await ask(issuing, {}))["jti"] != claims_of(await ask(issuing, {}))["jti"]


async def test_a_token_bound_to_a_pod(issuing: Cluster) -> None:
    """It names the pod, and its node once there is one."""
    uid = (await issuing.create("pods", "default/", POD))["metadata"]["uid"]
    bound: Json = {"boundObjectRef": {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": uid}}
    assert claims_of(await ask(issuing, bound))["kubernetes.io"]["pod"] == {"name": "p", "uid": uid}
    binding = body({"target": {"kind": "Node", "name": "w"}})
    await issuing.objects.create(issuing.call("pods/binding", "default/p"), binding, PLAIN)
    assert claims_of(await ask(issuing, bound))["kubernetes.io"]["node"] == {"name": "w"}
    node = (await issuing.create("nodes", "", {"metadata": {"name": "w"}}))["metadata"]["uid"]
    assert claims_of(await ask(issuing, bound))["kubernetes.io"]["node"] == {"name": "w", "uid": node}


async def test_tokens_bound_to_secrets_and_nodes(issuing: Cluster) -> None:
    """By their names; what their uids are is looked up."""
    secret = (await issuing.create("secrets", "default/", {"metadata": {"name": "s"}}))["metadata"]["uid"]
    node = (await issuing.create("nodes", "", {"metadata": {"name": "w"}}))["metadata"]["uid"]
    for kind, name, uid in (("Secret", "s", secret), ("Node", "w", node)):
        answer = await ask(issuing, {"boundObjectRef": {"apiVersion": "v1", "kind": kind, "name": name}})
        assert claims_of(answer)["kubernetes.io"][kind.lower()] == {"name": name, "uid": uid}


async def test_what_cannot_be_bound_to(issuing: Cluster) -> None:
    """What is not there, is another than was meant, runs under another account, or is of another kind."""
    await issuing.create("pods", "default/", POD)
    await issuing.create("serviceaccounts", "default/", {"metadata": {"name": "b"}})

    def to(kind: str, name: str, uid: str = "", version: str = "v1") -> Json:
        return {"boundObjectRef": {"apiVersion": version, "kind": kind, "name": name, "uid": uid}}

    assert await refused(issuing, to("Pod", "q")) == (404, 'pods "q" not found')
    code, message = await refused(issuing, to("Pod", "p", "other"))
    assert (code, "does not match the UID in record" in message) == (409, True)
    code, message = await refused(issuing, to("Pod", "p"), account="b")
    assert (code, "pod running with different serviceaccount name" in message) == (400, True)
    code, message = await refused(issuing, to("Deployment", "p", version="apps/v1"))
    assert (code, message) == (400, "cannot bind token to object of type apps/v1, Kind=Deployment")


async def test_lifetimes(issuing: Cluster) -> None:
    """At least ten minutes, at most 2^32 seconds."""
    assert (await ask(issuing, {"expirationSeconds": 600}))["spec"]["expirationSeconds"] == 600
    code, message = await refused(issuing, {"expirationSeconds": 599})
    assert (code, "may not specify a duration less than 10 minutes" in message) == (422, True)
    code, message = await refused(issuing, {"expirationSeconds": (1 << 32) + 1})
    assert (code, "larger than 2^32 seconds" in message) == (422, True)


async def test_no_account_no_token(issuing: Cluster) -> None:
    """404; and a name that is not that of the request's account is 400."""
    assert await refused(issuing, {}, account="x") == (404, 'serviceaccounts "x" not found')
    call = issuing.call("serviceaccounts/token", "default/a")
    with pytest.raises(StatusError, match="want that of the service account, a, got b"):
        await issuing.objects.create(call, body({"metadata": {"name": "b"}, "spec": {}}), PLAIN)


async def test_nodes_ask_for_their_pods_alone(issuing: Cluster) -> None:
    """Bound by name and uid, to a pod that runs there, for audiences that the pod's volumes name."""
    token = {"name": "t", "projected": {"sources": [{"serviceAccountToken": {"audience": "vault", "path": "t"}}]}}
    spec = {"serviceAccountName": "a", "containers": CONTAINERS, "nodeName": "n1", "volumes": [token]}
    uid = (await issuing.create("pods", "default/", {"metadata": {"name": "p"}, "spec": spec}))["metadata"]["uid"]
    ref = {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": uid}

    async def asked(node: str, wanted: Json) -> str:
        identity = as_member(f"system:node:{node}", groups=["system:nodes", "system:masters"])
        call = issuing.call("serviceaccounts/token", "default/a", identity)
        try:
            await issuing.objects.create(call, body({"spec": wanted}), PLAIN)
        except StatusError as error:
            return error.message
        return ""

    assert await asked("n1", {"boundObjectRef": ref}) == ""
    assert await asked("n1", {"boundObjectRef": ref, "audiences": ["vault"]}) == ""
    assert 'audience "other" not found' in await asked("n1", {"boundObjectRef": ref, "audiences": ["other"]})
    assert "not bound to a pod" in await asked("n1", {})
    assert "without a uid" in await asked("n1", {"boundObjectRef": {**ref, "uid": ""}})
    assert "scheduled on a different node" in await asked("n2", {"boundObjectRef": ref})


async def test_a_rehearsal_signs_nothing(issuing: Cluster) -> None:
    """But is checked."""
    answer = await ask(issuing, {}, WriteOptions(dry_run=True))
    assert not answer["status"]["token"]


async def test_without_a_key_there_is_no_such_subresource(cluster: Cluster) -> None:
    """404."""
    await cluster.create("serviceaccounts", "default/", {"metadata": {"name": "a"}})
    assert (await refused(cluster, {}))[0] == 404
