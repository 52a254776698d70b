"""kubectl, as people use it."""

import re
import subprocess
import time

import pytest

from tests.e2e.kubectl.kubectl_user import Failed, KubectlUser

MANIFEST = """
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, labels: {app: web}}
data: {colour: %s}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080}]
"""
POD = """
apiVersion: v1
kind: Pod
metadata: {name: p}
spec: {containers: [{name: c, image: busybox}]}
"""


def columns(table: str) -> list[str]:
    """The head of a printed table."""
    return re.split(r"  +", table.splitlines()[0].strip())


def test_version_and_identity(kubectl: KubectlUser) -> None:
    """The server tells its version, who the caller is, and what they may do."""
    assert "Server Version: v1.36." in kubectl.run("version")
    assert "system:masters" in kubectl.run("auth", "whoami")
    assert kubectl.run("auth", "can-i", "create", "pods").strip() == "yes"
    assert "*.*" in kubectl.run("auth", "can-i", "--list")


def test_discovery(kubectl: KubectlUser) -> None:
    """Resources with their short names and groups; unknown ones are told apart."""
    resources = kubectl.run("api-resources", "-o", "wide")
    assert re.search(r"^deployments +deploy +apps/v1 +true +Deployment ", resources, re.MULTILINE)
    assert re.search(r"^pods +po +v1 +true +Pod .* all$", resources, re.MULTILINE)
    assert "rbac.authorization.k8s.io/v1" in kubectl.run("api-versions")
    with pytest.raises(Failed, match="doesn't have a resource type"):
        kubectl.run("get", "nothing")


def test_explain(kubectl: KubectlUser) -> None:
    """Fields and their types, from OpenAPI v3."""
    said = kubectl.run("explain", "pods.spec.containers")
    assert "FIELD: containers <[]Container>" in said
    assert re.search(r"imagePullPolicy\s+<string>", said)
    assert re.search(r"enum: Always, IfNotPresent, Never", said)
    with pytest.raises(Failed, match='field "nothing" does not exist'):
        kubectl.run("explain", "pods.nothing")


def test_create_get_replace_delete(kubectl: KubectlUser) -> None:
    """The life of a config map."""
    assert kubectl.run("create", "configmap", "a", "--from-literal=k=v") == "configmap/a created\n"
    assert columns(kubectl.run("get", "configmaps")) == ["NAME", "DATA", "AGE"]
    assert kubectl.read("configmap", "a")["data"] == {"k": "v"}
    with pytest.raises(Failed, match='configmaps "a" already exists'):
        kubectl.run("create", "configmap", "a")
    changed = kubectl.run("get", "configmap", "a", "-o", "yaml").replace("k: v", "k: w")
    assert kubectl.run("replace", "-f", "-", text=changed) == "configmap/a replaced\n"
    assert kubectl.run("get", "configmap", "a", "-o", "jsonpath={.data.k}") == "w"
    with pytest.raises(Failed, match=r"\(Conflict\): error when replacing"):
        kubectl.run("replace", "-f", "-", text=changed)
    assert 'configmap "a" deleted' in kubectl.run("delete", "configmap", "a")
    with pytest.raises(Failed, match=r'\(NotFound\): configmaps "a" not found'):
        kubectl.run("get", "configmap", "a")


def test_apply(kubectl: KubectlUser) -> None:
    """Client-side apply: creates, changes what changed, leaves the rest, finds nothing to do."""
    first = kubectl.run("apply", "-f", "-", text=MANIFEST % "red")
    assert first == "configmap/settings created\nservice/web created\n"
    again = kubectl.run("apply", "-f", "-", text=MANIFEST % "blue")
    assert again == "configmap/settings configured\nservice/web unchanged\n"
    assert kubectl.read("configmap", "settings")["data"] == {"colour": "blue"}
    assert kubectl.run("diff", "-f", "-", text=MANIFEST % "blue") == ""
    with pytest.raises(Failed, match=r"-  colour: blue\n\+  colour: green"):
        kubectl.run("diff", "-f", "-", text=MANIFEST % "green")


def test_server_side_apply(kubectl: KubectlUser) -> None:
    """Managers own fields; taking another's field over has to be forced."""
    apply = ("apply", "--server-side", "-f", "-")
    kubectl.run(*apply, "--field-manager", "one", text=MANIFEST % "red")
    with pytest.raises(Failed, match=r'conflict with "one"'):
        kubectl.run(*apply, "--field-manager", "two", text=MANIFEST % "blue")
    kubectl.run(*apply, "--field-manager", "two", "--force-conflicts", text=MANIFEST % "blue")
    assert kubectl.read("configmap", "settings")["data"] == {"colour": "blue"}


def test_validation(kubectl: KubectlUser) -> None:
    """Unknown fields are refused by the server; dry runs change nothing."""
    with pytest.raises(Failed, match='strict decoding error: unknown field "dato"'):
        kubectl.run("create", "-f", "-", text=(MANIFEST % "red").replace("data:", "dato:"))
    assert "created (server dry run)" in kubectl.run("create", "configmap", "a", "--dry-run=server")
    with pytest.raises(Failed, match="NotFound"):
        kubectl.run("get", "configmap", "a")
    with pytest.raises(Failed, match=r'The Pod "p" is invalid: spec.containers\[0\]'):
        kubectl.run("create", "-f", "-", text=POD.replace("busybox", ""))


def test_tables(kubectl: KubectlUser) -> None:
    """Columns as everyone knows them, wide ones on request, several kinds at once."""
    kubectl.run("create", "-f", "-", text=POD)
    kubectl.run("create", "deployment", "web", "--image", "nginx", "--replicas", "2")
    assert columns(kubectl.run("get", "pods")) == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    assert re.search(r"^p +0/1 +Pending +0 +\d+s$", kubectl.run("get", "pods"), re.MULTILINE)
    wide = columns(kubectl.run("get", "pods", "-o", "wide"))
    assert wide[5:] == ["IP", "NODE", "NOMINATED NODE", "READINESS GATES"]
    assert re.search(
        r"^web +0/2 +0 +0 +\d+s +nginx +nginx +app=web$", kubectl.run("get", "deploy", "-o", "wide"), re.MULTILINE
    )
    assert "pod/p" in kubectl.run("get", "pods,deployments", "--show-kind")
    everywhere = kubectl.run("get", "all", "--all-namespaces")
    assert "service/kubernetes" in everywhere
    assert kubectl.run("get", "pods", "-o", "name") == "pod/p\n"


def test_changes_of_parts(kubectl: KubectlUser) -> None:
    """Patches of every kind, and the commands that are patches."""
    kubectl.run("create", "deployment", "web", "--image", "nginx")
    kubectl.run("label", "deployment", "web", "tier=front")
    kubectl.run("annotate", "deployment", "web", "note=hello")
    kubectl.run("scale", "deployment", "web", "--replicas", "3")
    kubectl.run("set", "image", "deployment/web", "nginx=nginx:2")
    kubectl.run(
        "patch", "deployment", "web", "-p", '{"spec":{"template":{"spec":{"containers":[{"name":"b","image":"b"}]}}}}'
    )
    kubectl.run(
        "patch", "deployment", "web", "--type", "json", "-p", '[{"op":"add","path":"/metadata/labels/x","value":"y"}]'
    )
    kubectl.run("patch", "deployment", "web", "--type", "merge", "-p", '{"spec":{"paused":true}}')
    found = kubectl.read("deployment", "web")
    assert found["metadata"]["labels"] == {"app": "web", "tier": "front", "x": "y"}
    assert found["metadata"]["annotations"]["note"] == "hello"
    assert (found["spec"]["replicas"], found["spec"]["paused"]) == (3, True)
    images = {item["name"]: item["image"] for item in found["spec"]["template"]["spec"]["containers"]}
    assert images == {"nginx": "nginx:2", "b": "b"}


def test_selectors_and_chunks(kubectl: KubectlUser) -> None:
    """By label and field; a list in pages is one list."""
    for name in "abc":
        kubectl.run("create", "configmap", name)
    kubectl.run("label", "configmap", "a", "b", "l=v")
    assert kubectl.run("get", "configmaps", "-l", "l=v", "-o", "name").split() == ["configmap/a", "configmap/b"]
    by_field = kubectl.run("get", "configmaps", "--field-selector", "metadata.name=c", "-o", "name")
    assert by_field == "configmap/c\n"
    paged = kubectl.run("get", "configmaps", "--chunk-size=1", "-o", "name")
    assert {"configmap/a", "configmap/b", "configmap/c"} <= set(paged.split())
    kubectl.run("delete", "configmaps", "-l", "l=v")
    assert kubectl.run("get", "configmaps", "-l", "l", "-o", "name") == ""


def test_watch(kubectl: KubectlUser) -> None:
    """`get -w` prints what is there and each change as it happens."""
    kubectl.run("create", "secret", "generic", "a")
    command = kubectl.command("get", "secrets", "--watch", "--output-watch-events")
    with subprocess.Popen(command, env=kubectl.environment, stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        try:
            lines = iter(watching.stdout.readline, "")
            assert columns(next(lines))[:2] == ["EVENT", "NAME"]
            assert next(lines).split()[:2] == ["ADDED", "a"]
            kubectl.run("create", "secret", "generic", "b", "--from-literal=k=v")
            kubectl.run("delete", "secret", "b")
            assert next(lines).split()[:4] == ["ADDED", "b", "Opaque", "1"]
            assert next(lines).split()[:2] == ["DELETED", "b"]
        finally:
            watching.terminate()


def test_wait(kubectl: KubectlUser) -> None:
    """`wait` sees a condition that is met, through a watch."""
    kubectl.run("create", "-f", "-", text=POD)
    command = kubectl.command("wait", "pod/p", "--for=jsonpath={.status.phase}=Running", "--timeout=30s")
    with subprocess.Popen(command, env=kubectl.environment, stdout=subprocess.PIPE, text=True) as waiting:
        time.sleep(0.2)
        kubectl.run("patch", "pod", "p", "--subresource", "status", "-p", '{"status":{"phase":"Running"}}')
        said, _ = waiting.communicate(timeout=40)
    assert "condition met" in said


def test_raw_paths(kubectl: KubectlUser) -> None:
    """`get --raw` reaches everything the server has."""
    assert kubectl.run("get", "--raw", "/readyz") == "ok"
    assert "apiserver_request_total{" in kubectl.run("get", "--raw", "/metrics")
    assert '"swagger":"2.0"' in kubectl.run("get", "--raw", "/openapi/v2")
    assert "+]etcd ok" in kubectl.run("get", "--raw", "/readyz?verbose")


def test_describe_and_events(kubectl: KubectlUser) -> None:
    """`describe` finds an object's events."""
    kubectl.run("create", "-f", "-", text=POD)
    uid = kubectl.read("pod", "p")["metadata"]["uid"]
    event = f"""
apiVersion: v1
kind: Event
metadata: {{name: p.1}}
involvedObject: {{kind: Pod, apiVersion: v1, namespace: {kubectl.namespace}, name: p, uid: {uid}}}
reason: Tested
message: this is a test
type: Normal
count: 3
source: {{component: tester}}
firstTimestamp: "2026-01-01T00:00:00Z"
lastTimestamp: "2026-01-01T00:01:00Z"
"""
    kubectl.run("create", "-f", "-", text=event)
    assert re.search(r"Normal +Tested .*tester +this is a test", kubectl.run("describe", "pod", "p"))
    assert re.search(r"Normal +Tested +pod/p +this is a test", kubectl.run("get", "events"))


def test_a_pod_is_deleted_gracefully(kubectl: KubectlUser) -> None:
    """Without a node it goes at once; `--force` does not wait."""
    kubectl.run("create", "-f", "-", text=POD)
    assert 'pod "p" deleted' in kubectl.run("delete", "pod", "p")
    kubectl.run("create", "-f", "-", text=POD)
    assert "deleted" in kubectl.run("delete", "pod", "p", "--force", "--grace-period=0")


def test_impersonation(kubectl: KubectlUser) -> None:
    """The admin may act as somebody who may not."""
    with pytest.raises(Failed, match=r'\(Forbidden\): pods is forbidden: User "jane" cannot list resource "pods"'):
        kubectl.run("get", "pods", "--as", "jane")
    assert kubectl.run("get", "pods", "--as", "jane", "--as-group", "system:masters")


def test_client_certificates(kubectl: KubectlUser) -> None:
    """The admin's certificate is as good as the token."""
    view = kubectl.run("config", "view", "--raw", "-o", "jsonpath={.clusters[0].cluster.server}")
    pki = kubectl.home / "pki"
    identity = ("--client-certificate", str(pki / "admin.crt"), "--client-key", str(pki / "admin.key"))
    server = ("--kubeconfig", "/dev/null", "--server", view.strip(), "--certificate-authority", str(pki / "ca.crt"))
    assert "kubewire-admin" in kubectl.run("auth", "whoami", *server, *identity)
