"""Random requests: whatever is sent, the answer blames the sender and never the server."""

from collections.abc import Iterator

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.integration.rest.hosted_stack import HostedStack, hosted_stack

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
PROTOBUF = "application/vnd.kubernetes.protobuf"
CONTENT_TYPES = [
    "",
    "application/json",
    "application/yaml",
    PROTOBUF,
    "application/merge-patch+json",
    "application/json-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
]
KEYS = ["metadata", "name", "data", "kind", "apiVersion", "labels", "op", "path", "value"]


@pytest.fixture(scope="module")
def hosted(etcd_of_module: str) -> Iterator[HostedStack]:
    """One server for all examples."""
    with hosted_stack(etcd_of_module) as running:
        yield running


documents = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=5) | st.sampled_from(["a", "v1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3),
    max_leaves=8,
)
bodies = st.one_of(
    st.binary(max_size=60),
    st.binary(max_size=60).map(lambda data: b"k8s\x00" + data),
    documents.map(orjson.dumps),
)


@settings(max_examples=200, deadline=None)
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE"]),
    name=st.sampled_from(["", "/a", "/a/status", "/%2e%2e", "/a%00b", "/A_B"]),
    query=st.text(alphabet="abWatchlimtrue=&%+0123456789[]", max_size=30),
    content_type=st.sampled_from(CONTENT_TYPES),
    body=bodies,
)
def test_no_input_is_the_servers_fault(
    hosted: HostedStack, method: str, name: str, query: str, content_type: str, body: bytes
) -> None:
    """Any method, path, query and body is answered, and never with a 500."""
    path = f"{CONFIG_MAPS}{name}?timeoutSeconds=1&fieldManager=f&{query}"
    assert hosted.send(method, path, content_type, b"" if method == "GET" else body) < 500
