"""Health over HTTP: `/livez`, `/readyz`, `/healthz`, each check by itself, and all of them with `?verbose`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kubewire.apiserver.rest.answers import TEXT_TYPE, Header, write
from kubewire.component.health import Health, Probe, render

if TYPE_CHECKING:
    from kubewire.apiserver.rest.request import Request, Written

_PROBES: Final = {f"/{probe.value}": probe for probe in Probe}
_NO_SNIFF: Final[tuple[Header, ...]] = (("X-Content-Type-Options", "nosniff"),)


def probe_of(path: str) -> tuple[Probe, str] | None:
    """The probe a path means, and the one check it names if it does; None for other paths."""
    root, _, check = path[1:].partition("/")
    probe = _PROBES.get(f"/{root}")
    return None if probe is None else (probe, check)


def write_probe(request: Request, health: Health, probe: Probe, check: str) -> Written | None:
    """Answer a probe; None if it names a check that is not there."""
    parameters = [part.partition("=") for part in request.query_text.split("&") if part]
    excluded = [value for name, _, value in parameters if name == "exclude"]
    results = health.results(probe, excluded)
    if check:
        results = [result for result in results if result.name == check]
        if not results:
            return None
    failed = any(result.problem for result in results)
    is_verbose = any(name == "verbose" for name, _, _ in parameters)
    text = render(probe, results, excluded=excluded) if failed or is_verbose else "ok"
    return write(request, 500 if failed else 200, text.encode(), TEXT_TYPE, _NO_SNIFF)
