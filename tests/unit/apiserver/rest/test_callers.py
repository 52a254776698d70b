"""Callers are known once per connection, and act as others only if they may."""

import pytest
from multidict import CIMultiDict

from kubewire.apiserver.auth.authentication import Authentication, Credentials, as_member
from kubewire.apiserver.auth.authorization import Attributes, Authorization, Decision, Verdict, allow_masters
from kubewire.apiserver.contracts import Identity
from kubewire.apiserver.rest.callers import REMEMBERED_SECONDS, Callers
from kubewire.machinery.errors import StatusError
from tests.unit.apiserver.rest.fake_request import FakeRequest


class Counting:
    """Knows the tokens `admin` and `user`, and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def identify(self, credentials: Credentials) -> Identity | None:
        self.asked += 1
        known = {"admin": as_member("admin", groups=["system:masters"]), "user": as_member("user")}
        return known.get(credentials.bearer)


def callers(counting: Counting | None = None, *allowed: str) -> Callers:
    """Masters may everything; others may impersonate what is in `allowed`, as `resource/name`."""

    def allow_some(asked: Attributes) -> Decision:
        may = asked.verb == "impersonate" and f"{asked.resource}/{asked.name}" in allowed
        return Decision(Verdict.ALLOW if may else Verdict.NO_OPINION)

    return Callers(Authentication([counting or Counting()]), Authorization([allow_masters, allow_some]))


def asking(token: str, *headers: tuple[str, str]) -> FakeRequest:
    """A request with a token and more headers."""
    return FakeRequest(headers=CIMultiDict([("Authorization", f"Bearer {token}"), *headers]))


def test_a_connection_remembers_its_caller() -> None:
    """For some seconds, and for the same header only."""
    counting = Counting()
    known = callers(counting)
    request = asking("user")
    assert known.identify(request).name == "user"
    assert known.identify(request).name == "user"
    assert counting.asked == 1
    request.fake_connection.caller_until -= REMEMBERED_SECONDS
    known.identify(request)
    assert counting.asked == 2
    request.fake_connection.caller_header = "Bearer admin"
    known.identify(request)
    assert counting.asked == 3


def test_nobody_known_is_401() -> None:
    """And nothing is remembered of it."""
    request = asking("wrong")
    with pytest.raises(StatusError) as raised:
        callers().identify(request)
    assert raised.value.code == 401
    assert request.fake_connection.caller is None


def test_masters_may_act_as_anyone() -> None:
    """As a user with groups and uid; service accounts are in their groups."""
    request = asking(
        "admin",
        ("Impersonate-User", "jane"),
        ("Impersonate-Group", "a"),
        ("Impersonate-Group", "b"),
        ("Impersonate-Uid", "7"),
    )
    assert callers().identify(request) == Identity("jane", "7", ("a", "b", "system:authenticated"))
    account = callers().identify(asking("admin", ("Impersonate-User", "system:serviceaccount:ns:sa")))
    assert account.groups == ("system:serviceaccounts", "system:serviceaccounts:ns", "system:authenticated")


def test_others_may_act_as_whom_they_are_allowed_to() -> None:
    """User and each group are asked for by themselves."""
    known = callers(None, "users/jane", "groups/a", "serviceaccounts/sa")
    assert known.identify(asking("user", ("Impersonate-User", "jane"), ("Impersonate-Group", "a"))).name == "jane"
    assert known.identify(asking("user", ("Impersonate-User", "system:serviceaccount:ns:sa"))).name.endswith(":sa")
    for headers in (
        [("Impersonate-User", "joe")],
        [("Impersonate-User", "jane"), ("Impersonate-Group", "system:masters")],
        [("Impersonate-User", "jane"), ("Impersonate-Uid", "1")],
    ):
        with pytest.raises(StatusError, match="cannot impersonate resource") as raised:
            known.identify(asking("user", *headers))
        assert raised.value.code == 403


def test_groups_need_a_user() -> None:
    """Groups or uid alone are refused."""
    with pytest.raises(StatusError, match="without impersonating a user"):
        callers().identify(asking("admin", ("Impersonate-Group", "a")))


def test_extras_are_asked_for_one_by_one() -> None:
    """Their keys come in lower case and percent-encoded, several values as several headers."""
    headers = (
        ("Impersonate-User", "jane"),
        ("Impersonate-Extra-Scopes", "view"),
        ("Impersonate-Extra-Scopes", "edit"),
        ("Impersonate-Extra-example.org%2fproject", "x"),
    )
    extra = (("example.org/project", ("x",)), ("scopes", ("view", "edit")))
    assert callers().identify(asking("admin", *headers)).extra == extra
    allowed = ("users/jane", "userextras/view", "userextras/edit")
    with pytest.raises(StatusError, match=r'cannot impersonate resource "userextras/example\.org/project"'):
        callers(None, *allowed).identify(asking("user", *headers))
    assert callers(None, *allowed, "userextras/x").identify(asking("user", *headers)).extra == extra
