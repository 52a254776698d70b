"""The controller-manager's settings."""

import pytest

from kubewire.component.config import load
from kubewire.component.errors import ConfigError
from kubewire.controller_manager.config import ControllerManagerConfig, is_wanted


def test_defaults() -> None:
    """Without settings all controllers run, under upstream's Lease and ports."""
    config = load(ControllerManagerConfig, "controller_manager", [], {})
    assert config.runs("replicaset-controller")
    assert (config.grpc_port, config.metrics_port) == (10357, 10257)
    assert config.leader_elect_resource_name == "kube-controller-manager"


@pytest.mark.parametrize(
    ("wanted", "runs"), [(("*",), True), (("*", "-a"), False), (("a",), True), (("b",), False), (("-b",), False)]
)
def test_which_controllers_run(wanted: tuple[str, ...], *, runs: bool) -> None:
    """`*` is all, a name itself, `-name` all but it."""
    assert is_wanted("a", wanted) is runs


def test_what_does_not_fit_is_refused() -> None:
    """A certificate without its key is refused by name."""
    with pytest.raises(ConfigError, match="client_key_file"):
        load(ControllerManagerConfig, "controller_manager", ["--client-cert-file=x"], {})
