"""Nothing is listed that nobody answers."""

from kubewire.apiserver.rest.served import served_resources
from kubewire.machinery.resources import builtin

SERVED = {(item.group, item.plural): item for item in served_resources(builtin().served())}


def test_subresources_that_are_answered_stay() -> None:
    """Those that update the object, and those answered in a way of their own."""
    assert {"status", "binding", "eviction"} <= set(SERVED["", "pods"].subresources)
    assert set(SERVED["apps", "deployments"].subresources) == {"status", "scale"}
    assert set(SERVED["", "namespaces"].subresources) == {"status", "finalize"}


def test_streams_are_no_objects() -> None:
    """Exec, logs and proxies are not among them."""
    assert not {"exec", "attach", "log", "portforward", "proxy"} & set(SERVED["", "pods"].subresources)
    assert "proxy" not in SERVED["", "services"].subresources


def test_reviews_are_answered() -> None:
    """They have no storage, and are served all the same."""
    assert ("authorization.k8s.io", "selfsubjectaccessreviews") in SERVED
    assert ("", "bindings") in SERVED


def test_every_stored_resource_is_served() -> None:
    """Whatever has a place in the store."""
    assert all((item.group, item.plural) in SERVED for item in builtin().served() if item.storage is not None)
