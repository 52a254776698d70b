"""Tokens are kept for most of their lives."""

import pytest

from kubewire.api.authentication.v1.token_request_pb2 import TokenRequest
from kubewire.client.objects import ObjectKey
from kubewire.kubelet.volumes.tokens import ServiceAccountTokens
from kubewire.machinery.errors import StatusError, service_unavailable
from tests.unit.kubelet.manifests import pod_of

POD = pod_of("serviceAccountName: robot")


class Server:
    """Gives tokens that are good for as long as was asked, and remembers who asked."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.asked: list[tuple[ObjectKey, TokenRequest]] = []
        self.failure: StatusError | None = None

    def wall_clock(self) -> float:
        return self.now

    async def create(self, account: ObjectKey, wanted: TokenRequest) -> TokenRequest:
        self.asked.append((account, wanted))
        if self.failure is not None:
            raise self.failure
        answer = TokenRequest.FromString(wanted.SerializeToString())
        answer.status.token = f"token-{len(self.asked)}"
        answer.status.expirationTimestamp.seconds = int(self.now) + wanted.spec.expirationSeconds
        return answer


async def test_what_is_asked_for() -> None:
    """A token of the pod's account, bound to the pod, for the audience and the time that were asked."""
    server = Server()
    token = await ServiceAccountTokens(server.create, server.wall_clock).token(POD, "vault", 1000)
    [(account, wanted)] = server.asked
    assert account == ObjectKey("shop", "robot")
    assert list(wanted.spec.audiences) == ["vault"]
    assert wanted.spec.expirationSeconds == 1000
    bound = wanted.spec.boundObjectRef
    assert (bound.kind, bound.apiVersion, bound.name, bound.uID) == ("Pod", "v1", "web", "uid-1")
    assert token == ("token-1", 2000.0, 1800.0)


async def test_no_audience_is_the_servers_own() -> None:
    """An empty audience is left out, and a pod without an account has `default`."""
    server = Server()
    await ServiceAccountTokens(server.create, server.wall_clock).token(pod_of("{}"), "", 1000)
    [(account, wanted)] = server.asked
    assert (account.name, list(wanted.spec.audiences)) == ("default", [])


async def test_renewed_at_four_fifths_of_its_life() -> None:
    """Until then it is the same token, and from then on another."""
    server = Server()
    tokens = ServiceAccountTokens(server.create, server.wall_clock)
    values = []
    for server.now in (1000.0, 1799.0, 1800.0, 1801.0):
        values.append((await tokens.token(POD, "", 1000)).value)
    assert values == ["token-1", "token-1", "token-2", "token-2"]


async def test_long_tokens_are_renewed_after_a_day() -> None:
    """However long a token would be good."""
    server = Server()
    token = await ServiceAccountTokens(server.create, server.wall_clock).token(POD, "", 10 * 86400)
    assert token.renew_at == 1000 + 86400


async def test_a_server_that_is_away_costs_nothing_while_a_token_is_good() -> None:
    """The old one is given until it ends, and then the server's failure."""
    server = Server()
    tokens = ServiceAccountTokens(server.create, server.wall_clock)
    await tokens.token(POD, "", 1000)
    server.failure = service_unavailable("away")
    server.now = 1999.0
    assert (await tokens.token(POD, "", 1000)).value == "token-1"
    server.now = 2000.0
    with pytest.raises(StatusError, match="away"):
        await tokens.token(POD, "", 1000)


async def test_each_use_has_its_own_and_a_pod_that_is_gone_none() -> None:
    """Audiences, times and pods do not share tokens; those of a forgotten pod are dropped."""
    server = Server()
    tokens = ServiceAccountTokens(server.create, server.wall_clock)
    other = pod_of("serviceAccountName: robot", uid="uid-2")
    values = [
        (await tokens.token(pod, audience, seconds)).value
        for pod, audience, seconds in ((POD, "", 1000), (POD, "a", 1000), (POD, "", 2000), (other, "", 1000))
    ]
    assert len(set(values)) == 4
    tokens.forget("uid-1")
    assert (await tokens.token(POD, "", 1000)).value == "token-5"
    assert (await tokens.token(other, "", 1000)).value == "token-4"
