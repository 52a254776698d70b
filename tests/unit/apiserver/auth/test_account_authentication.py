"""Bearers of tokens are their accounts, as long as everything a token names is there."""

import pytest

from kubewire.api.meta.v1.object_meta_pb2 import ObjectMeta
from kubewire.apiserver.auth.account_authentication import AccountAuthenticator
from kubewire.apiserver.auth.account_claims import Claims, Named
from kubewire.apiserver.auth.account_tokens import TokenIssuer, TokenReader
from kubewire.apiserver.auth.authentication import Authentication, Credentials, InvalidToken
from kubewire.apiserver.auth.token_keys import by_name, make_signing_key, read_signing_key
from kubewire.apiserver.contracts import Identity

KEY = read_signing_key(make_signing_key()[0])
CLAIMS = Claims("n", Named("a", "u1"), ("api",), 1000, 4600, "id")
POD, NODE, SECRET = Named("p", "u2"), Named("w", "u3"), Named("s", "u4")


class World:
    """Objects by resource, namespace and name; the time; and how often a signature was looked at."""

    def __init__(self) -> None:
        self.uids = {
            ("serviceaccounts", "n", "a"): "u1",
            ("pods", "n", "p"): "u2",
            ("nodes", "", "w"): "u3",
            ("secrets", "n", "s"): "u4",
        }
        self.deleted_at: dict[tuple[str, str, str], int] = {}
        self.now = 2000.0
        self.reads = 0
        self.accounts = AccountAuthenticator(lambda: self, ("api",), self.find, lambda: self.now)  # type: ignore[arg-type, return-value]  # counts reads
        self._reader = TokenReader(("https://me",), by_name([KEY.public]))

    def read(self, token: str) -> Claims | None:
        self.reads += 1
        return self._reader.read(token)

    def find(self, plural: str, namespace: str, name: str) -> ObjectMeta | None:
        uid = self.uids.get((plural, namespace, name))
        if uid is None:
            return None
        found = ObjectMeta(uid=uid)
        if (plural, namespace, name) in self.deleted_at:
            found.deletionTimestamp.seconds = self.deleted_at[plural, namespace, name]
        return found

    def ask(self, claims: Claims = CLAIMS, *audiences: str) -> Identity | None:
        token = TokenIssuer("https://me", KEY).issue(claims)
        return self.accounts.identify(Credentials(bearer=token, audiences=audiences))


def test_the_bearer_is_the_account() -> None:
    """With its groups, and what the token is bound to as extra."""
    found = World().ask(CLAIMS._replace(pod=POD, node=NODE))
    assert found is not None
    assert (found.name, found.uid) == ("system:serviceaccount:n:a", "u1")
    assert found.groups == ("system:serviceaccounts", "system:serviceaccounts:n", "system:authenticated")
    assert dict(found.extra) == {
        "authentication.kubernetes.io/credential-id": ("JTI=id",),
        "authentication.kubernetes.io/node-name": ("w",),
        "authentication.kubernetes.io/node-uid": ("u3",),
        "authentication.kubernetes.io/pod-name": ("p",),
        "authentication.kubernetes.io/pod-uid": ("u2",),
    }


@pytest.mark.parametrize(
    ("gone", "claims"),
    [
        (("serviceaccounts", "n", "a"), CLAIMS),
        (("pods", "n", "p"), CLAIMS._replace(pod=POD, node=NODE)),
        (("secrets", "n", "s"), CLAIMS._replace(secret=SECRET)),
        (("nodes", "", "w"), CLAIMS._replace(node=NODE)),
    ],
)
def test_a_token_ends_with_what_it_is_bound_to(gone: tuple[str, str, str], claims: Claims) -> None:
    """When that is deleted, made anew, or has been on its way out for a minute."""
    world = World()
    assert world.ask(claims)
    world.deleted_at[gone] = 1950
    assert world.ask(claims), "a pod that is being deleted may still tidy up"
    world.deleted_at[gone] = 1900
    with pytest.raises(InvalidToken, match="has been deleted"):
        world.ask(claims)
    del world.deleted_at[gone]
    world.uids[gone] = "other"
    with pytest.raises(InvalidToken, match="has uid other"):
        world.ask(claims)
    del world.uids[gone]
    with pytest.raises(InvalidToken, match="is gone"):
        world.ask(claims)


def test_the_node_of_a_pod_may_go() -> None:
    """It tells where the pod ran; the pod is what the token lives with."""
    world = World()
    del world.uids["nodes", "", "w"]
    assert world.ask(CLAIMS._replace(pod=POD, node=NODE))


def test_time() -> None:
    """Before, a little before, within, after."""
    world = World()
    for now, is_good in ((900, False), (950, True), (4600, True), (4601, False)):
        world.now = now
        if is_good:
            assert world.ask()
        else:
            with pytest.raises(InvalidToken, match=r"expired|not valid yet"):
                world.ask()


def test_audiences() -> None:
    """A token counts for those it names, and for this server only if it names it."""
    world = World()
    with pytest.raises(InvalidToken, match="audiences"):
        world.ask(CLAIMS, "vault")
    assert world.ask(CLAIMS._replace(audiences=("vault",)), "vault", "other")
    with pytest.raises(InvalidToken, match="audiences"):
        world.ask(CLAIMS._replace(audiences=("vault",)))


def test_a_signature_is_looked_at_once() -> None:
    """And again for a token that had ended, since that is not remembered."""
    world = World()
    token = TokenIssuer("https://me", KEY).issue(CLAIMS)
    for _ in range(3):
        world.accounts.identify(Credentials(bearer=token))
    assert world.reads == 1
    late = TokenIssuer("https://me", KEY).issue(CLAIMS._replace(expires_at=1999))
    for _ in range(2):
        with pytest.raises(InvalidToken):
            world.accounts.identify(Credentials(bearer=late))
    assert world.reads == 3


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest tokens are looked at again."""
    monkeypatch.setattr("kubewire.apiserver.auth.account_authentication._REMEMBERED", 2)
    world = World()
    tokens = [TokenIssuer("https://me", KEY).issue(CLAIMS._replace(id=str(number))) for number in range(3)]
    for token in tokens:
        world.accounts.identify(Credentials(bearer=token))
    world.accounts.identify(Credentials(bearer=tokens[2]))
    assert world.reads == 3
    world.accounts.identify(Credentials(bearer=tokens[0]))
    assert world.reads == 4


def test_tokens_of_other_kinds_are_left_to_others() -> None:
    """Nothing is looked at for them."""
    world = World()
    assert world.accounts.identify(Credentials(bearer="static")) is None
    assert world.accounts.identify(Credentials(common_name="joe")) is None
    assert world.reads == 0


def test_who_asks_for_a_review_is_told_for_whom_a_token_is() -> None:
    """Of those asked for, or else of the server's own."""
    world = World()
    known = Authentication((world.accounts,), ("api",))
    token = TokenIssuer("https://me", KEY).issue(CLAIMS._replace(audiences=("api", "vault")))
    assert known.audiences(Credentials(bearer=token, audiences=("vault", "x"))) == ("vault",)
    assert known.audiences(Credentials(bearer=token)) == ("api",)
    assert known.audiences(Credentials(bearer="static", audiences=("api", "x"))) == ("api",)
