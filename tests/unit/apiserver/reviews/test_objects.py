"""Reviews are answered from what authenticators and authorizers say, and nothing else is touched."""

from typing import Any, cast

import orjson
import pytest

from kubewire.apiserver.auth.authentication import Authentication
from kubewire.apiserver.auth.authorization import Authorization
from kubewire.apiserver.auth.tokens import TokenAuthenticator, parse_token_file
from kubewire.apiserver.bootstrap.rbac import rbac_objects
from kubewire.apiserver.contracts import Body, Call, Encoding, Identity, Objects, Written
from kubewire.apiserver.options import WriteOptions
from kubewire.apiserver.rbac.authorizer import RbacAuthorizer
from kubewire.apiserver.rbac.index import RbacIndex
from kubewire.apiserver.reviews.answers import Judges
from kubewire.apiserver.reviews.objects import ReviewingObjects
from kubewire.machinery.codec.encode import to_dict
from kubewire.machinery.errors import StatusError
from kubewire.machinery.resources import builtin

MASTER = Identity("admin", "1", ("system:masters", "system:authenticated"))
USER = Identity("jane", "2", ("system:authenticated",))


class Stored:
    """The registry's place: says what reached it."""

    def __init__(self) -> None:
        self.created: list[str] = []

    async def create(self, call: Call, body: Body, options: WriteOptions) -> Written:
        self.created.append(call.resource.plural)
        raise StatusError(500, "", "stored")

    async def other(self, *_: object) -> None:
        raise AssertionError("not asked for")

    get = list = watch = create_many = update = patch = delete = delete_many = delete_collection = other


def reviewing(stored: Stored | None = None) -> ReviewingObjects:
    """With one known token, `t`, and masters who may do everything."""
    tokens = TokenAuthenticator(parse_token_file("t,joe,9,group"))
    judges = Judges(Authentication([tokens]), Authorization(), RbacAuthorizer(RbacIndex(rbac_objects)))
    return ReviewingObjects(cast("Objects", stored or Stored()), judges)


async def ask(plural: str, identity: Identity, spec: dict[str, Any], namespace: str = "") -> dict[str, Any]:
    """The status of a review."""
    resource = next(item for item in builtin().served() if item.plural == plural)
    body = Body(orjson.dumps({"spec": spec}), Encoding.JSON)
    written = await reviewing().create(Call(identity, resource, namespace), body, WriteOptions())
    return cast("dict[str, Any]", to_dict(written.item.message)["status"])


async def test_who_am_i() -> None:
    """The caller's own name, uid and groups."""
    status = await ask("selfsubjectreviews", USER, {})
    assert status["userInfo"] == {"username": "jane", "uid": "2", "groups": ["system:authenticated"]}


async def test_may_i() -> None:
    """The authorizers' decision about the caller, on resources and on paths."""
    pods = {"resourceAttributes": {"verb": "get", "resource": "pods", "namespace": "a"}}
    assert (await ask("selfsubjectaccessreviews", MASTER, pods))["allowed"] is True
    assert (await ask("selfsubjectaccessreviews", USER, pods))["allowed"] is False
    path = {"nonResourceAttributes": {"verb": "get", "path": "/metrics"}}
    assert (await ask("selfsubjectaccessreviews", MASTER, path))["allowed"] is True


@pytest.mark.parametrize(
    "spec", [{}, {"resourceAttributes": {"verb": "get"}, "nonResourceAttributes": {"verb": "get", "path": "/"}}]
)
async def test_exactly_one_thing_is_asked(spec: dict[str, Any]) -> None:
    """Nothing or both is a 422."""
    with pytest.raises(StatusError, match="exactly one of") as raised:
        await ask("selfsubjectaccessreviews", USER, spec)
    assert raised.value.code == 422


async def test_may_they() -> None:
    """Asking about others gives the decision about them, and has to be authorized."""
    spec = {"user": "x", "groups": ["system:masters"], "resourceAttributes": {"verb": "get", "resource": "pods"}}
    assert (await ask("subjectaccessreviews", MASTER, spec))["allowed"] is True
    assert (await ask("subjectaccessreviews", MASTER, {**spec, "groups": []}))["allowed"] is False
    with pytest.raises(StatusError) as raised:
        await ask("subjectaccessreviews", USER, spec)
    assert raised.value.code == 403


async def test_local_reviews_stay_in_their_namespace() -> None:
    """The namespace asked about is the review's own."""
    spec = {"user": "x", "resourceAttributes": {"verb": "get", "resource": "pods", "namespace": "a"}}
    assert (await ask("localsubjectaccessreviews", MASTER, spec, "a"))["allowed"] is False
    with pytest.raises(StatusError, match=r"must match metadata\.namespace"):
        await ask("localsubjectaccessreviews", MASTER, spec, "b")


async def test_whose_token() -> None:
    """Known tokens give their owner; unknown ones are not authenticated; none is an error."""
    status = await ask("tokenreviews", MASTER, {"token": "t"})
    assert status["authenticated"] is True
    assert status["user"]["username"] == "joe"
    assert (await ask("tokenreviews", MASTER, {"token": "u"}))["error"] == "invalid bearer token"
    with pytest.raises(StatusError, match=r"spec\.token: Required value"):
        await ask("tokenreviews", MASTER, {})


async def test_what_may_i() -> None:
    """Masters may everything; the rules of others are those of their roles, unless nobody lists any."""
    asked = {"namespace": "n"}
    everything = await ask("selfsubjectrulesreviews", MASTER, asked)
    assert everything["resourceRules"] == [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]
    found = await ask("selfsubjectrulesreviews", USER, asked)
    assert found["incomplete"] is False
    assert {"verbs": ["get"], "nonResourceURLs": ["/healthz", "/livez", "/readyz", "/version", "/version/"]} in found[
        "nonResourceRules"
    ]
    node = Identity("system:node:n", groups=("system:nodes",))
    assert "node authorizer" in (await ask("selfsubjectrulesreviews", node, asked))["evaluationError"]
    with pytest.raises(StatusError, match="no namespace on request"):
        await ask("selfsubjectrulesreviews", USER, {})


async def test_whose_extra() -> None:
    """What an identity carries besides is told, and taken from a review."""
    identity = Identity("jane", extra=(("scopes", ("a", "b")),))
    assert (await ask("selfsubjectreviews", identity, {}))["userInfo"]["extra"] == {"scopes": ["a", "b"]}


async def test_everything_else_is_stored() -> None:
    """What is no review goes on to the registry."""
    stored = Stored()
    pods = builtin().by_plural("", "v1", "pods")
    assert pods is not None
    with pytest.raises(StatusError, match="stored"):
        await reviewing(stored).create(Call(USER, pods, "a"), Body(b"{}", Encoding.JSON), WriteOptions())
    assert stored.created == ["pods"]
