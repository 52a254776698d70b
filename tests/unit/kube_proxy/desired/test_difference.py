"""What remains to be done, told in words."""

import pytest

from kubewire.kube_proxy.desired.difference import difference
from kubewire.kube_proxy.desired.model import Frontend
from tests.kube_proxy_tables import all_told, rules

A = "TCP 10.96.0.1:80 -> 10.0.0.1:8080 outside"
A_MORE = "TCP 10.96.0.1:80 -> 10.0.0.1:8080 10.0.0.2:8080 outside"
B = "TCP *:30080 -> 10.0.0.1:8080 always"


@pytest.mark.parametrize(
    ("desired", "programmed", "put", "remove"),
    [
        ("", "", [], []),
        (f"{A}\n{B}", "", [B, A], []),
        (f"{A}\n{B}", f"{B}\n{A}", [], []),
        (A_MORE, f"{A}\n{B}", [A_MORE], ["TCP *:30080"]),
        ("", A, [], ["TCP 10.96.0.1:80"]),
    ],
)
def test_difference(desired: str, programmed: str, put: list[str], remove: list[str]) -> None:
    """Rules that differ are put, those nobody wants are removed, and what is right is left alone."""
    found = difference(rules(desired), rules(programmed))
    assert (all_told(found.put), [str(one) for one in found.remove]) == (put, remove)
    assert bool(found) is bool(put or remove)


def test_among_some() -> None:
    """Only frontends that are asked about are looked at."""
    found = difference(rules(f"{A}\n{B}"), {}, [Frontend("", "TCP", 30080)])
    assert all_told(found.put) == [B]
