"""Callers are known by tokens and certificates, in order, and by nothing else."""

import pytest

from kubewire.apiserver.auth.authentication import (
    Authentication,
    CertificateAuthenticator,
    Credentials,
    bearer_token,
)
from kubewire.apiserver.auth.tokens import MalformedTokenFile, TokenAuthenticator, parse_token_file
from kubewire.machinery.errors import StatusError

FILE = """
# the administrator
s3cret,admin,1,"system:masters"
other, kubelet, , "system:nodes, extra"
"""


def authentication() -> Authentication:
    """Certificates first, then the tokens of FILE."""
    return Authentication([CertificateAuthenticator(), TokenAuthenticator(parse_token_file(FILE))])


def test_a_token_gives_its_user_and_groups() -> None:
    """The static token's owner is the caller, in its groups and in system:authenticated."""
    identity = authentication().identify(Credentials(bearer="s3cret"))
    assert (identity.name, identity.uid) == ("admin", "1")
    assert identity.groups == ("system:masters", "system:authenticated")
    assert authentication().identify(Credentials(bearer="other")).groups[:2] == ("system:nodes", "extra")


@pytest.mark.parametrize("credentials", [Credentials(), Credentials(bearer="s3cre"), Credentials(bearer="\udcff")])
def test_nobody_is_anonymous(credentials: Credentials) -> None:
    """Without a known token or certificate the answer is 401."""
    with pytest.raises(StatusError, match=r"^Unauthorized$") as raised:
        authentication().identify(credentials)
    assert raised.value.code == 401


def test_a_certificate_gives_name_and_groups() -> None:
    """The subject's common name is the user and its organizations are the groups."""
    credentials = Credentials(common_name="system:kube-scheduler", organizations=("system:x",))
    identity = authentication().identify(credentials)
    assert identity.name == "system:kube-scheduler"
    assert identity.groups == ("system:x", "system:authenticated")
    assert authentication().identify(credentials) == identity


def test_tokens_are_not_kept() -> None:
    """The authenticator holds digests only."""
    assert "s3cret" not in repr(vars(TokenAuthenticator(parse_token_file(FILE))))


@pytest.mark.parametrize("text", ["token,user", ",user,uid", "token,,uid"])
def test_a_malformed_token_file_names_its_line(text: str) -> None:
    """Lines without token, user and uid are refused with their number."""
    with pytest.raises(MalformedTokenFile, match=r"^line 2: "):
        parse_token_file("# head\n" + text)


@pytest.mark.parametrize(
    ("header", "token"),
    [(None, ""), ("", ""), ("Bearer abc", "abc"), ("bearer  abc ", "abc"), ("Basic abc", ""), ("Bearer", "")],
)
def test_bearer_tokens_are_taken_from_headers(header: str | None, token: str) -> None:
    """The scheme is read without regard to case; other schemes carry no token."""
    assert bearer_token(header) == token
