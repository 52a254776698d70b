"""Who may look into pods, over which face, and what is said when the node is away."""

import base64
import json
import subprocess

import grpc
import pytest

from kubewire.component.tls.store import CertificateStore
from kubewire.rpc.core.v1.pod_service_pb2 import StreamPodLogsRequest
from tests.e2e.streams.pods_user import BIN, SECONDS, PodsUser, eventually

SERVICE = "kubewire.rpc.core.v1.PodService"


def grpcurl(user: PodsUser, token: str, method: str, **fields: object) -> subprocess.CompletedProcess[str]:
    """A call of a method of PodService for the pod `shell`; reflection is asked as the admin."""
    request = json.dumps({"namespace": "default", "name": "shell", **fields})
    command = [
        str(BIN / "grpcurl"),
        f"-cacert={user.apiserver.ca}",
        f"-reflect-header=authorization: Bearer {user.apiserver.token}",
        f"-rpc-header=authorization: Bearer {token}",
        f"-d={request}",
        user.apiserver.grpc,
        f"{SERVICE}/{method}",
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)


def call(user: PodsUser, method: str, **fields: object) -> list[dict[str, object]]:
    """What grpcurl receives as the admin."""
    done = grpcurl(user, user.apiserver.token, method, **fields)
    assert done.returncode == 0, done.stderr
    decoder, found, text = json.JSONDecoder(), [], done.stdout.strip()
    while text:
        message, end = decoder.raw_decode(text)
        found.append(message)
        text = text[end:].strip()
    return found


def test_logs_over_grpc(user: PodsUser) -> None:
    """Messages with bytes of the log."""
    [message] = call(user, "StreamPodLogs", options={"limitBytes": 7})
    assert base64.b64decode(str(message["data"])) == b"line 1\n"


def test_commands_over_grpc(user: PodsUser) -> None:
    """The first message asks and may carry input; the last one has the status."""
    options = {"command": ["sh", "-c", "cat; exit 3"], "stdin": True, "stdout": True}
    *output, last = call(user, "ExecPod", options=options, stdin=base64.b64encode(b"hello").decode())
    assert b"".join(base64.b64decode(str(message["stdout"])) for message in output) == b"hello"
    status = last["status"]
    assert isinstance(status, dict)
    assert status["reason"] == "NonZeroExitCode"
    assert status["details"]["causes"] == [{"reason": "ExitCode", "message": "3"}]


@pytest.mark.parametrize("method", ["StreamPodLogs", "ExecPod", "AttachPod", "PortForwardPod"])
def test_rights_count_over_grpc(user: PodsUser, method: str) -> None:
    """An account without roles is refused by every method, and so is who is not known."""
    if user.run("get", "serviceaccount", "nobody").returncode:
        user.ok("create", "serviceaccount", "nobody")
    refused = grpcurl(user, user.ok("create", "token", "nobody").strip(), method)
    assert "Code: PermissionDenied" in refused.stderr
    assert "system:serviceaccount:default:nobody" in refused.stderr
    assert "Code: Unauthenticated" in grpcurl(user, "nonsense", method).stderr


@pytest.mark.parametrize("arguments", [("logs", "shell"), ("exec", "shell", "--", "ls"), ("attach", "shell")])
def test_looking_into_pods_is_a_right_of_its_own(user: PodsUser, arguments: tuple[str, ...]) -> None:
    """Somebody without a role is refused, in words that name the subresource."""
    said = (
        user.fails(*arguments, "--as=somebody") if arguments[0] != "exec" else user.fails("--as=somebody", *arguments)
    )
    assert 'User "somebody" cannot' in said


def test_reading_rights_do_not_open_shells(user: PodsUser) -> None:
    """Who may `get` the subresource still may not create what it stands for."""
    user.ok("create", "role", "reader", "--verb=get", "--resource=pods,pods/exec,pods/log")
    user.ok("create", "rolebinding", "reader", "--role=reader", "--user=reader")
    assert user.ok("logs", "shell", "--as=reader", "--tail=1").startswith("line ")
    assert 'cannot create resource "pods/exec"' in user.fails("--as=reader", "exec", "shell", "--", "ls")


def test_requests_without_an_upgrade_are_told_so(user: PodsUser) -> None:
    """Exec is a WebSocket, not an object."""
    said = user.fails("get", "--raw", "/api/v1/namespaces/default/pods/shell/exec?command=ls&stdout=true")
    assert "Upgrade request required" in said


def test_kubelets_serve_streams_to_api_servers_alone(user: PodsUser) -> None:
    """Another certificate of the same authority, as nodes and people have them, opens nothing."""
    store = CertificateStore(user.apiserver.folder / "pki")
    request = StreamPodLogsRequest(namespace="default", name="shell").SerializeToString()
    codes: dict[str, object] = {}
    for name, user_name in (("somebody", "somebody"), ("apiserver-kubelet-client", "")):
        issued = store.client(name, user_name)
        credentials = grpc.ssl_channel_credentials(user.apiserver.ca.read_bytes(), issued.key, issued.certificate)
        with grpc.secure_channel(user.kubelet.grpc, credentials) as channel:
            logs: grpc.UnaryStreamMultiCallable[bytes, bytes] = channel.unary_stream(
                "/kubewire.kubelet.v1.StreamsService/StreamLogs"
            )
            try:
                codes[name] = next(logs(request, timeout=SECONDS))[:1]
            except grpc.RpcError as error:
                codes[name] = error.code()
    assert codes == {"somebody": grpc.StatusCode.PERMISSION_DENIED, "apiserver-kubelet-client": b"\x0a"}


def test_a_node_that_is_away_is_named(user: PodsUser) -> None:
    """Service unavailable, with the node; and as soon as it is back, all is well."""
    user.kubelet.stop()
    try:
        assert "the kubelet of node node-1 at" in user.fails("logs", "shell")
        assert "cannot be reached" in user.fails("exec", "shell", "--", "true")
    finally:
        user.kubelet.start()
    eventually(lambda: user.run("exec", "shell", "--", "true").returncode == 0, "the node can be reached again")
