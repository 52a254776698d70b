"""What the HTTP port of components answers."""

from kubewire.component.health import Health
from kubewire.component.metrics.registry import Registry
from kubewire.component.probes import ProbeServer


def server(problem: str = "") -> ProbeServer:
    """Of a process with one counter and one check."""
    health, registry = Health(), Registry()
    health.add_readiness("caches", lambda: problem)
    registry.counter("things_total", "Things.")
    return ProbeServer(health, registry)


def test_metrics() -> None:
    """`/metrics` is Prometheus' text."""
    answer = server().answer("GET", "/metrics")
    assert answer.code == 200
    assert b"things_total 0" in answer.body
    assert answer.content_type.startswith("text/plain; version=0.0.4")


def test_metrics_with_a_page_of_their_own() -> None:
    """They are there and nowhere else."""
    registry = Registry()
    registry.counter("probes_total", "Probes.")
    made = ProbeServer(Health(), Registry(), {"probes": registry})
    assert b"probes_total 0" in made.answer("GET", "/metrics/probes").body
    assert b"probes_total" not in made.answer("GET", "/metrics").body
    assert made.answer("GET", "/metrics/others").code == 404


def test_probes() -> None:
    """Probes say ok, or which check failed; single checks can be asked for, and left out."""
    assert server().answer("GET", "/healthz") == (200, b"ok", "text/plain; charset=utf-8")
    failing = server("empty")
    assert failing.answer("GET", "/readyz").code == 500
    assert b"[-]caches failed" in failing.answer("GET", "/readyz").body
    assert failing.answer("GET", "/readyz?exclude=caches").code == 200
    assert failing.answer("GET", "/readyz/caches").code == 500
    assert failing.answer("GET", "/livez").code == 200
    assert b"[+]ping ok" in failing.answer("GET", "/livez?verbose").body


def test_what_is_not_served() -> None:
    """Other paths, checks and methods are refused."""
    assert server().answer("GET", "/").code == 404
    assert server().answer("GET", "/readyz/nothing").code == 404
    assert server().answer("POST", "/metrics").code == 405


def test_replies_are_http() -> None:
    """A reply has a status line, a length and the body; HEAD leaves the body out, and nonsense is refused."""
    reply = server()._reply(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    assert reply.startswith(b"HTTP/1.1 200 OK\r\n")
    assert reply.endswith(b"Content-Length: 2\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\nok")
    assert server()._reply(b"HEAD /healthz HTTP/1.1\r\n\r\n").endswith(b"\r\n\r\n")
    assert server()._reply(b"nonsense\r\n\r\n").startswith(b"HTTP/1.1 400 ")
