"""Ports that a query asks for."""

import pytest

from kubewire.apiserver.rest.streaming.port_channels import PORTS_AT_MOST, ports_of
from kubewire.machinery.errors import StatusError


def test_ports_are_repeated_or_listed() -> None:
    """Clients do either, and the order is that of the channels."""
    assert ports_of(["8080"]) == [8080]
    assert ports_of(["3,1", "2"]) == [3, 1, 2]


@pytest.mark.parametrize("texts", [[], [""], ["http"], ["0"], ["65536"], ["1,"], ["1"] * (PORTS_AT_MOST + 1)])
def test_anything_else_is_a_bad_request(texts: list[str]) -> None:
    """None, too many, and what is no port."""
    with pytest.raises(StatusError) as raised:
        ports_of(texts)
    assert raised.value.code == 400
