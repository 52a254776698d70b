"""What is wrong with a request is told in Kubernetes' words; nothing is written, and the server goes on."""

import asyncio
import gzip
from io import BytesIO

import aiohttp
import pytest

from tests.integration.rest.rest_stack import RestStack

PODS = "/api/v1/namespaces/default/pods"
PROTOBUF = "application/vnd.kubernetes.protobuf"


async def refusal(
    http: aiohttp.ClientSession,
    method: str,
    path: str,
    data: bytes | BytesIO | None = None,
    headers: dict[str, str] | None = None,
) -> tuple[int, str, str]:
    """Code, reason and message of a refused request."""
    async with http.request(method, path, data=data, headers=headers) as answer:
        status = await answer.json()
        assert status["code"] == answer.status
        return answer.status, status["reason"], status["message"]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "application/json"),
        (b"{", "application/json"),
        (b"[]", "application/json"),
        (b'{"kind":1}', "application/json"),
        (b'{"kind":"Service","apiVersion":"v1"}', "application/json"),
        (b'{"kind":"Pod","apiVersion":"v2"}', "application/json"),
        (b'{"metadata":{"name":5}}', "application/json"),
        (b'{"spec":{"containers":{}}}', "application/json"),
        (b'{"a":' * 5000, "application/json"),
        (b"a: [", "application/yaml"),
        (b"- a", "application/yaml"),
        (b"not an envelope", PROTOBUF),
        (b"k8s\x00\xff\xff\xff", PROTOBUF),
    ],
)
async def test_malformed_objects(http: aiohttp.ClientSession, body: bytes, content_type: str) -> None:
    """Whatever a body is instead of a pod, the answer is a 400 that says so."""
    code, reason, _ = await refusal(http, "POST", PODS, data=body, headers={"Content-Type": content_type})
    assert (code, reason) == (400, "BadRequest")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("limit=x", 400),
        ("labelSelector=a==b==c", 400),
        ("labelSelector=%00", 400),
        ("fieldSelector=nothing=x", 400),
        ("continue=nonsense", 400),
        ("resourceVersion=x", 400),
        ("resourceVersionMatch=Exact", 422),
        ("resourceVersion=5&resourceVersionMatch=Whatever", 422),
    ],
)
async def test_malformed_queries(http: aiohttp.ClientSession, query: str, code: int) -> None:
    """Selectors, tokens, versions and numbers that cannot be read."""
    assert (await refusal(http, "GET", f"{PODS}?{query}"))[0] == code


async def test_oversized_bodies(http: aiohttp.ClientSession) -> None:
    """More than 3 MiB is a 413, announced or not."""
    body = b'{"data":{"k":"' + b"x" * (3 * 1024 * 1024) + b'"}}'
    headers = {"Content-Type": "application/json"}
    refused = await refusal(http, "POST", PODS, data=BytesIO(body), headers=headers)
    assert refused[:2] == (413, "RequestEntityTooLarge")


async def test_compressed_bodies_are_not_inflated(http: aiohttp.ClientSession) -> None:
    """A small body cannot become a large one."""
    body = gzip.compress(b" " * 50_000_000)
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    assert (await refusal(http, "POST", PODS, data=body, headers=headers))[0] == 400


async def test_unknown_media_types(http: aiohttp.ClientSession) -> None:
    """415 for bodies, 406 for answers; both list what there is."""
    code, reason, message = await refusal(http, "POST", PODS, data=b"{}", headers={"Content-Type": "text/plain"})
    assert (code, reason) == (415, "UnsupportedMediaType")
    assert "application/json" in message
    code, reason, _ = await refusal(http, "GET", PODS, headers={"Accept": "text/html"})
    assert (code, reason) == (406, "NotAcceptable")


async def test_wrong_methods(http: aiohttp.ClientSession) -> None:
    """A 405, not a 404, where the path is known."""
    assert (await refusal(http, "POST", "/api/v1/pods", data=b"{}"))[:2] == (405, "MethodNotAllowed")


async def test_malformed_http(stack: RestStack) -> None:
    """What is no HTTP at all is answered once, and the connection closed."""
    for garbage in (b"nonsense\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n"):
        reader, writer = await asyncio.open_connection("127.0.0.1", stack.port)
        writer.write(garbage)
        async with asyncio.timeout(10):
            answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 400 ")
        writer.close()
