"""Each under its own name: the controller-manager, the scheduler, a node, a pod and somebody with no rights."""

import asyncio
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import jwt
import pytest

from kubewire.api.apps.v1.replica_set_pb2 import ReplicaSet
from kubewire.api.authentication.v1.self_subject_review_pb2 import SelfSubjectReview
from kubewire.api.authentication.v1.token_request_pb2 import TokenRequest
from kubewire.api.coordination.v1.lease_pb2 import Lease
from kubewire.api.core.v1.config_map_pb2 import ConfigMap
from kubewire.api.core.v1.namespace_pb2 import Namespace
from kubewire.api.core.v1.node_pb2 import Node
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.api.core.v1.secret_pb2 import Secret
from kubewire.api.core.v1.service_account_pb2 import ServiceAccount
from kubewire.client.client import Client
from kubewire.client.resources.options import Deleting, Selection
from kubewire.client.transport.grpc_transport import GrpcTransport
from kubewire.client.transport.options import GrpcOptions
from kubewire.machinery.errors import StatusError
from kubewire.rpc.authentication.v1.self_subject_review_service_pb2 import CreateSelfSubjectReviewRequest
from tests.apiserver_process import ApiServerProcess, running_apiserver
from tests.controller_manager_process import ControllerManagerProcess, running_controller_manager
from tests.scheduler_process import SchedulerProcess, running_scheduler

PATIENCE_SECONDS = 60.0
NODE = "n1"


@pytest.fixture
def apiserver(etcd: str, tmp_path: Path) -> Iterator[ApiServerProcess]:
    """A server that wants accounts, as those of real clusters do."""
    with running_apiserver(tmp_path, etcd, needs_accounts=True) as server:
        yield server


@pytest.fixture
def manager(apiserver: ApiServerProcess, tmp_path: Path) -> Iterator[ControllerManagerProcess]:
    """Under its own name."""
    with running_controller_manager(tmp_path, apiserver) as process:
        yield process


@pytest.fixture
def scheduler(apiserver: ApiServerProcess, tmp_path: Path) -> Iterator[SchedulerProcess]:
    """Under its own name."""
    with running_scheduler(tmp_path / "scheduler", apiserver) as process:
        yield process


@asynccontextmanager
async def client_of(apiserver: ApiServerProcess, user: str, token: str = "") -> AsyncIterator[Client]:
    """A client of one of the known users, or of the bearer of a token."""
    shown = token or apiserver.token_of(user)
    transport = GrpcTransport(GrpcOptions((apiserver.grpc,), ca_file=apiserver.ca, token=shown))
    try:
        yield Client(transport)
    finally:
        await transport.close()


async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
    """Return when it holds; how long that takes is not what is tested."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await holds():  # noqa: ASYNC110 - what is waited for is on a server
            await asyncio.sleep(0.02)


def replica_set(replicas: int) -> ReplicaSet:
    """Pods that read a secret."""
    made = ReplicaSet()
    made.metadata.name = "web"
    made.spec.replicas = replicas
    made.spec.selector.matchLabels["app"] = "web"
    made.spec.template.metadata.labels["app"] = "web"
    made.spec.template.spec.containers.add(name="web", image="web:1")
    made.spec.template.spec.volumes.add(name="s").volumeSource.secret.secretName = "mine"
    return made


async def join(node: Client) -> None:
    """What a kubelet does first: its Node object, its status, its lease."""
    own = Node()
    own.metadata.name = NODE
    made = await node.nodes().create(own)
    for resource, amount in (("cpu", "4"), ("memory", "16Gi"), ("pods", "110")):
        made.status.allocatable[resource].string = made.status.capacity[resource].string = amount
    made.status.conditions.add(type="Ready", status="True", reason="KubeletReady")
    made.metadata.resourceVersion = ""  # controllers write it too
    await node.nodes().update_status(made)
    lease = Lease()
    lease.metadata.name = NODE
    await node.resource(Lease, namespace="kube-node-lease").create(lease)


async def pods_of(client: Client) -> list[Pod]:
    """As the node sees them: its own."""
    return [found async for found in client.pods("").list(Selection(field_selector=f"spec.nodeName={NODE}"))]


async def token_for(client: Client, pod: Pod) -> str:
    """A token for a pod's account, bound to the pod."""
    request = TokenRequest()
    ref = request.spec.boundObjectRef
    ref.kind, ref.apiVersion, ref.name, ref.uID = "Pod", "v1", pod.metadata.name, pod.metadata.uid
    accounts = client.resource(ServiceAccount, namespace=pod.metadata.namespace)
    return (await accounts.create_token(pod.spec.serviceAccountName, request)).status.token


async def who_am_i(client: Client) -> SelfSubjectReview:
    """As the server sees it."""
    path = "/kubewire.rpc.authentication.v1.SelfSubjectReviewService/CreateSelfSubjectReview"
    request = CreateSelfSubjectReviewRequest(self_subject_review=SelfSubjectReview())
    answer = await client.transport.unary(path, request.SerializeToString(), timeout_seconds=PATIENCE_SECONDS)
    return SelfSubjectReview.FromString(answer)


async def refusal(asked: Awaitable[object]) -> str:
    """Why something is refused with 403."""
    with pytest.raises(StatusError) as raised:
        await asked
    assert raised.value.code == 403, raised.value
    return raised.value.message


async def test_components_do_their_jobs_under_their_own_names(
    apiserver: ApiServerProcess, manager: ControllerManagerProcess, scheduler: SchedulerProcess
) -> None:
    """From a ReplicaSet to running pods and back, with a node that is a node; nobody is told that they may not."""
    async with client_of(apiserver, "admin") as admin, client_of(apiserver, f"system:node:{NODE}") as node:
        await join(node)
        secret = Secret()
        secret.metadata.name = "mine"
        await admin.resource(Secret, namespace="default").create(secret)
        sets = admin.resource(ReplicaSet, namespace="default")
        await sets.create(replica_set(3))

        async def all_bound() -> bool:
            return len(await pods_of(node)) == 3

        await eventually(all_bound)
        for pod in await pods_of(node):
            pod.status.phase = "Running"
            pod.status.conditions.add(type="Ready", status="True")
            pod.metadata.resourceVersion = ""
            await node.pods("default").update_status(pod)

        async def all_ready() -> bool:
            return (await sets.get("web")).status.readyReplicas == 3

        await eventually(all_ready)
        await check_a_node(apiserver, node)
        await check_a_pod(apiserver, node)
        await check_the_end(admin, node)
    for log in (manager.log, scheduler.log):
        lines = [line for line in log.read_text().splitlines() if "orbidden" in line]
        assert lines == []


async def check_a_node(apiserver: ApiServerProcess, node: Client) -> None:
    """It reads what its pods refer to, and nothing else."""
    assert (await node.resource(Secret, namespace="default").get("mine")).metadata.name == "mine"
    assert (await node.resource(ConfigMap, namespace="default").get("kube-root-ca.crt")).metadata.name
    why = await refusal(node.resource(Secret, namespace="default").get("other"))
    assert why == (
        'secrets "other" is forbidden: User "system:node:n1" cannot get resource "secrets" in API group "" in the '
        "namespace \"default\": no relationship found between node 'n1' and this object"
    )
    async with client_of(apiserver, "system:node:n2") as other:
        await refusal(other.resource(Secret, namespace="default").get("mine"))
        [pod, *_] = await pods_of(node)
        assert "no relationship found" in await refusal(token_for(other, pod))
    await refusal(node.nodes().delete(NODE))


async def check_a_pod(apiserver: ApiServerProcess, node: Client) -> None:
    """With a token that its node asked for it is its account, and ends with the pod."""
    [pod, *_] = await pods_of(node)
    assert any(volume.name.startswith("kube-api-access-") for volume in pod.spec.volumes)
    async with client_of(apiserver, "", await token_for(node, pod)) as bearer:
        info = (await who_am_i(bearer)).status.userInfo
        assert info.username == "system:serviceaccount:default:default"
        assert [*info.extra["authentication.kubernetes.io/pod-name"].items] == [pod.metadata.name]
        assert [*info.extra["authentication.kubernetes.io/node-name"].items] == [NODE]
        await refusal(bearer.pods("default").get(pod.metadata.name))


async def check_the_end(admin: Client, node: Client) -> None:
    """What is deleted goes, with all that belongs to it: the ReplicaSet's pods, a namespace's content."""
    namespace = Namespace()
    namespace.metadata.name = "passing"
    await admin.resource(Namespace).create(namespace)

    async def has_account() -> bool:
        found = admin.resource(ServiceAccount, namespace="passing").list()
        return "default" in [one.metadata.name async for one in found]

    await eventually(has_account)
    await admin.resource(ReplicaSet, namespace="default").delete("web")
    await admin.resource(Namespace).delete("passing")

    async def all_gone() -> bool:
        for pod in await pods_of(node):
            if pod.metadata.HasField("deletionTimestamp"):
                await node.pods("default").delete(pod.metadata.name, Deleting(grace_period_seconds=0))
        left = [one.metadata.name async for one in admin.resource(Namespace).list()]
        return not await pods_of(node) and "passing" not in left

    await eventually(all_gone)


class Rest:
    """The REST face, to one who shows a token."""

    def __init__(self, apiserver: ApiServerProcess, token: str) -> None:
        self._root = apiserver.rest
        self._token = token
        self._trust = ssl.create_default_context(cafile=str(apiserver.ca))

    async def get(self, path: str) -> tuple[int, dict[str, Any]]:
        """Code and document."""
        return await asyncio.to_thread(self._ask, path, None)

    async def post(self, path: str, value: object) -> tuple[int, dict[str, Any]]:
        """Code and document."""
        return await asyncio.to_thread(self._ask, path, json.dumps(value).encode())

    def _ask(self, path: str, body: bytes | None) -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        request = urllib.request.Request(self._root + path, body, headers)
        try:
            with urllib.request.urlopen(request, context=self._trust, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)


async def test_both_faces_refuse_alike(apiserver: ApiServerProcess) -> None:
    """Who has no rights is told the same over gRPC and REST."""
    async with client_of(apiserver, "joe") as joe:
        over_grpc = await refusal(joe.pods("default").get("p"))
    rest = Rest(apiserver, apiserver.token_of("joe"))
    code, status = await rest.get("/api/v1/namespaces/default/pods/p")
    assert (code, status["message"]) == (403, over_grpc)
    assert over_grpc == (
        'pods "p" is forbidden: User "joe" cannot get resource "pods" in API group "" in the namespace "default"'
    )
    code, status = await rest.get("/metrics")
    assert (code, status["message"]) == (403, 'forbidden: User "joe" cannot get path "/metrics"')
    assert (await rest.get("/apis"))[0] == 200


async def test_both_faces_give_tokens_that_both_believe(apiserver: ApiServerProcess) -> None:
    """And that others can check, by the keys that are published and by a TokenReview."""
    account = ServiceAccount()
    account.metadata.name = "bot"
    rest = Rest(apiserver, apiserver.token)
    async with client_of(apiserver, "admin") as admin:
        accounts = admin.resource(ServiceAccount, namespace="default")
        uid = (await accounts.create(account)).metadata.uid
        over_grpc = (await accounts.create_token("bot", TokenRequest())).status.token
    path = "/api/v1/namespaces/default/serviceaccounts/bot/token"
    code, answer = await rest.post(path, {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest"})
    assert (code, answer["kind"]) == (201, "TokenRequest")
    for token in (over_grpc, answer["status"]["token"]):
        async with client_of(apiserver, "", token) as bearer:
            assert (await who_am_i(bearer)).status.userInfo.uid == uid
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token}}
        _, reviewed = await rest.post("/apis/authentication.k8s.io/v1/tokenreviews", review)
        assert reviewed["status"]["authenticated"] is True
        assert reviewed["status"]["user"]["username"] == "system:serviceaccount:default:bot"
        await check_by_published_keys(Rest(apiserver, token), token)
    assert (await Rest(apiserver, over_grpc[:-8] + "AAAAAAAA").get("/api"))[0] == 401


async def check_by_published_keys(rest: Rest, token: str) -> None:
    """As a service that knows nothing but the issuer would."""
    _, found = await rest.get("/.well-known/openid-configuration")
    assert found["jwks_uri"].endswith("/openid/v1/jwks")
    _, keys = await rest.get("/openid/v1/jwks")
    key = jwt.PyJWKSet.from_dict(keys)[jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(token, key, algorithms=["ES256"], audience=found["issuer"], issuer=found["issuer"])
    assert claims["sub"] == "system:serviceaccount:default:bot"
