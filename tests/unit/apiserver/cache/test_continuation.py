"""Continue tokens."""

import base64

import pytest

from kubewire.apiserver.cache.continuation import INCONSISTENT, Continuation, decode
from kubewire.machinery.errors import StatusError


def token(text: str) -> str:
    """A token with this content."""
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


@pytest.mark.parametrize("prefix", ["", "ns/"])
@pytest.mark.parametrize("name", ["a", "pod-é", "x" * 253])
def test_round_trip(prefix: str, name: str) -> None:
    """A token says where and at which revision; the list's own namespace is not part of it."""
    written = Continuation(42, prefix + name).encode(prefix)
    assert "=" not in written
    assert decode(written, prefix) == Continuation(42, prefix + name)


def test_kubernetes_form() -> None:
    """The form is the one Kubernetes' servers read and write."""
    assert decode(token('{"v":"meta.k8s.io/v1","rv":7,"start":"ns/a\\u0000"}'), "") == Continuation(7, "ns/a\0")
    assert decode(token('{"v":"meta.k8s.io/v1","rv":-1,"start":"a"}'), "ns/") == Continuation(INCONSISTENT, "ns/a")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("%%%", "continue key is not valid: "),
        ("Zm9v", "continue key is not valid: "),
        (token("[]"), "continue key is not valid: not an object"),
        (token("{}"), 'server does not recognize this encoded version ""'),
        (token('{"v":"v9","rv":1,"start":"a"}'), 'server does not recognize this encoded version "v9"'),
        (token('{"v":"meta.k8s.io/v1","rv":0,"start":"a"}'), "incorrect encoded start resourceVersion"),
        (token('{"v":"meta.k8s.io/v1","rv":"7","start":"a"}'), "incorrect encoded start resourceVersion"),
        (token('{"v":"meta.k8s.io/v1","rv":-7,"start":"a"}'), "incorrect encoded start resourceVersion"),
        (token('{"v":"meta.k8s.io/v1","rv":7,"start":""}'), "encoded start key empty"),
        (token('{"v":"meta.k8s.io/v1","rv":7}'), "encoded start key empty"),
        (token('{"v":"meta.k8s.io/v1","rv":7,"start":"../secrets/x"}'), "../secrets/x"),
        (token('{"v":"meta.k8s.io/v1","rv":7,"start":"/a"}'), "/a"),
    ],
)
def test_malformed(text: str, why: str) -> None:
    """Anything else is a bad request that says what is wrong."""
    with pytest.raises(StatusError) as failure:
        decode(text, "")
    assert failure.value.code == 400
    assert failure.value.message.startswith("invalid continue token: ")
    assert why in failure.value.message
