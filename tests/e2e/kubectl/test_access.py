"""kubectl, as people use it to give rights and tokens."""

import json
import time
from collections.abc import Callable

import pytest

from tests.e2e.kubectl.kubectl_user import Failed, KubectlUser

_SECONDS = 60.0


class Bearer:
    """Runs kubectl with a token of a service account instead of the admin's."""

    def __init__(self, admin: KubectlUser, token: str) -> None:
        self._admin = admin
        self._token = token

    def run(self, *arguments: str) -> str:
        """What kubectl says.

        Raises:
            Failed: it ended with an error.
        """
        return self._admin.run(*arguments, "--token", self._token)

    def may(self, *asked: str) -> bool:
        """`kubectl auth can-i`, which fails to say no."""
        try:
            return self.run("auth", "can-i", *asked).strip() == "yes"
        except Failed as refusal:
            if str(refusal).strip() != "no":
                raise
            return False


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds; how long it takes is not what is tested."""
    deadline = time.monotonic() + _SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def bearer_of(kubectl: KubectlUser, account: str, *arguments: str) -> Bearer:
    """The bearer of a new account's token; kubectl takes it before what the kubeconfig has."""
    kubectl.run("create", "serviceaccount", account)
    return Bearer(kubectl, kubectl.run("create", "token", account, *arguments).strip())


def test_a_token_is_its_account(kubectl: KubectlUser) -> None:
    """With its groups, and for as long as the account is there."""
    bearer = bearer_of(kubectl, "bot", "--duration=15m")
    info = json.loads(bearer.run("auth", "whoami", "-o", "json"))["status"]["userInfo"]
    assert info["username"] == f"system:serviceaccount:{kubectl.namespace}:bot"
    assert f"system:serviceaccounts:{kubectl.namespace}" in info["groups"]
    kubectl.run("delete", "serviceaccount", "bot")
    with pytest.raises(Failed, match="Unauthorized"):
        bearer.run("get", "pods")


def test_a_token_bound_to_a_secret(kubectl: KubectlUser) -> None:
    """Ends with it."""
    kubectl.run("create", "secret", "generic", "tie")
    bearer = bearer_of(kubectl, "bot", "--bound-object-kind=Secret", "--bound-object-name=tie")
    bearer.run("auth", "whoami")
    kubectl.run("delete", "secret", "tie")
    with pytest.raises(Failed, match="Unauthorized"):
        bearer.run("auth", "whoami")


def test_tokens_that_are_not_given(kubectl: KubectlUser) -> None:
    """Too short a life, and no such account."""
    kubectl.run("create", "serviceaccount", "bot")
    with pytest.raises(Failed, match="may not specify a duration less than 10 minutes"):
        kubectl.run("create", "token", "bot", "--duration=1m")
    with pytest.raises(Failed, match='serviceaccounts "nobody" not found'):
        kubectl.run("create", "token", "nobody")


def test_rights_come_and_go_with_bindings(kubectl: KubectlUser) -> None:
    """What `auth can-i` says is what happens."""
    bearer = bearer_of(kubectl, "bot")
    assert not bearer.may("list", "configmaps")
    with pytest.raises(Failed, match='cannot list resource "configmaps" in API group "" in the namespace'):
        bearer.run("get", "configmaps")
    kubectl.run("create", "role", "reader", "--verb=get,list", "--resource=configmaps,pods/log")
    kubectl.run("create", "rolebinding", "reads", "--role=reader", f"--serviceaccount={kubectl.namespace}:bot")
    until(lambda: bearer.may("list", "configmaps"))
    bearer.run("get", "configmaps")
    assert bearer.may("get", "pods", "--subresource=log")
    assert not bearer.may("delete", "configmaps")
    assert not bearer.may("list", "configmaps", "--namespace=default")
    listed = bearer.run("auth", "can-i", "--list")
    assert "configmaps" in listed
    assert "selfsubjectaccessreviews.authorization.k8s.io" in listed
    kubectl.run("delete", "rolebinding", "reads")
    until(lambda: not bearer.may("list", "configmaps"))


def test_the_roles_people_are_given(kubectl: KubectlUser) -> None:
    """`view` and `edit` are gathered from their parts."""
    bearer = bearer_of(kubectl, "bot")
    account = f"--serviceaccount={kubectl.namespace}:bot"
    kubectl.run("create", "rolebinding", "views", "--clusterrole=view", account)
    until(lambda: bearer.may("list", "pods"))
    assert not bearer.may("list", "secrets")
    kubectl.run("create", "rolebinding", "edits", "--clusterrole=edit", account)
    until(lambda: bearer.may("create", "pods"))
    assert bearer.may("list", "secrets")
    assert not bearer.may("create", "roles.rbac.authorization.k8s.io")


def test_nobody_gives_what_they_do_not_have(kubectl: KubectlUser) -> None:
    """Not even who may write roles and bindings."""
    bearer = bearer_of(kubectl, "bot")
    account = f"--serviceaccount={kubectl.namespace}:bot"
    resources = "--resource=roles.rbac.authorization.k8s.io,rolebindings.rbac.authorization.k8s.io"
    kubectl.run("create", "role", "writer", "--verb=create,get", resources)
    kubectl.run("create", "rolebinding", "writes", "--role=writer", account)
    until(lambda: bearer.may("create", "roles.rbac.authorization.k8s.io"))
    with pytest.raises(Failed, match="is attempting to grant RBAC permissions not currently held"):
        bearer.run("create", "role", "more", "--verb=get", "--resource=secrets")
    with pytest.raises(Failed, match="is attempting to grant RBAC permissions not currently held"):
        bearer.run("create", "rolebinding", "more", "--clusterrole=cluster-admin", account)
    bearer.run("create", "rolebinding", "same", "--role=writer", f"--serviceaccount={kubectl.namespace}:other")


def test_acting_as_others(kubectl: KubectlUser) -> None:
    """The admin sees what others may; others may not act as the admin."""
    bearer = bearer_of(kubectl, "bot")
    user = f"system:serviceaccount:{kubectl.namespace}:bot"
    with pytest.raises(Failed, match=r"^no"):
        kubectl.run("auth", "can-i", "get", "secrets", f"--as={user}")
    with pytest.raises(Failed, match='cannot impersonate resource "users"'):
        bearer.run("get", "pods", "--as=admin")


def test_pods_find_their_token(kubectl: KubectlUser) -> None:
    """In a volume of each container, unless the account says otherwise; without an account there is no pod."""
    until(lambda: "default" in kubectl.run("get", "serviceaccounts", "-o", "name"))
    kubectl.run("run", "p", "--image=busybox")
    pod = kubectl.read("pod", "p")
    [mount] = pod["spec"]["containers"][0]["volumeMounts"]
    assert mount["mountPath"] == "/var/run/secrets/kubernetes.io/serviceaccount"
    assert mount["name"] in [volume["name"] for volume in pod["spec"]["volumes"]]
    kubectl.run("patch", "serviceaccount", "default", "-p", '{"automountServiceAccountToken": false}')

    def is_plain() -> bool:
        kubectl.run("delete", "pod", "q", "--ignore-not-found", "--now")
        kubectl.run("run", "q", "--image=busybox")
        return "volumes" not in kubectl.read("pod", "q")["spec"]

    until(is_plain)
    overrides = json.dumps({"spec": {"serviceAccountName": "nobody"}})
    with pytest.raises(Failed, match='serviceaccount "nobody" not found'):
        kubectl.run("run", "r", "--image=busybox", f"--overrides={overrides}")
