"""From results of probes to verdicts."""

import pytest

from kubewire.api.core.v1.container_pb2 import Container
from kubewire.kubelet.contracts import Verdict
from kubewire.kubelet.probes.decision import EARLY_LIMIT_SECONDS, History, early_wait, is_due, verdict_of
from kubewire.kubelet.probes.reply import SUCCESS, Outcome, failure
from kubewire.kubelet.probes.spec import ProbeKind, probes_of
from tests.unit.kubelet.manifests import pod_of

REFUSED = failure("refused", refused=True)


def container(probes: str) -> Container:
    """A container with probes, in YAML."""
    return pod_of(f"containers: [{{name: main, {probes}}}]").spec.containers[0]


def histories(probes: str) -> dict[ProbeKind, History]:
    """Its probes, of which nothing is known yet."""
    return {spec.kind: History(spec) for spec in probes_of(container(probes))}


def one(probe: str, kind: str = "readiness") -> History:
    """The history of one probe."""
    [history] = histories(f"{kind}Probe: {{{probe}}}").values()
    return history


@pytest.mark.parametrize(
    ("results", "successes", "failures", "turns"),
    [
        ("S", 1, 3, "S"),
        ("FFF", 1, 3, "..F"),
        ("FFSFFF", 1, 3, "..S..F"),
        ("SFFFFS", 1, 3, "S..F.S"),
        ("SFFSFF", 1, 3, "S....."),
        ("FSSFSS", 2, 1, "F.SF.S"),
        ("SS", 3, 1, ".."),
        ("FSFS", 1, 1, "FSFS"),
    ],
)
def test_thresholds(results: str, successes: int, failures: int, turns: str) -> None:
    """A result counts when it came often enough in a row, and is told only when it is another than before."""
    history = one(f"successThreshold: {successes}, failureThreshold: {failures}")
    outcomes = {"S": Outcome.SUCCESS, "F": Outcome.FAILURE}
    assert "".join(result if history.take(outcomes[result]) else "." for result in results) == turns


def test_defaults_are_upstreams() -> None:
    """A probe that says nothing: every 10 s, for 1 s, three failures, one success."""
    [spec] = probes_of(container("livenessProbe: {}"))
    assert (spec.initial_delay, spec.period, spec.timeout, spec.failures, spec.successes, spec.grace) == (
        0, 10, 1, 3, 1, None,
    )  # fmt: skip


ALL = "startupProbe: {failureThreshold: 1}, readinessProbe: {}, livenessProbe: {failureThreshold: 1}"


def due(known: dict[ProbeKind, History], *, is_terminating: bool = False) -> set[ProbeKind]:
    """The probes that are to be made."""
    return {kind for kind in known if is_due(kind, known, is_terminating=is_terminating)}


def test_what_is_probed_when() -> None:
    """The startup probe alone until the container has started, the others from then on."""
    known = histories(ALL)
    assert due(known) == {ProbeKind.STARTUP}
    known[ProbeKind.STARTUP].take(Outcome.SUCCESS)
    assert due(known) == {ProbeKind.READINESS, ProbeKind.LIVENESS}
    known[ProbeKind.LIVENESS].take(Outcome.FAILURE)
    assert due(known) == {ProbeKind.READINESS}


def test_one_that_did_not_start_is_left_alone() -> None:
    """It will be another container that is probed next."""
    known = histories(ALL)
    known[ProbeKind.STARTUP].take(Outcome.FAILURE)
    assert due(known) == set()


def test_a_pod_that_ends_is_not_restarted() -> None:
    """Only readiness is probed while it does, so that traffic goes where it can be taken."""
    known = histories(ALL)
    assert due(known, is_terminating=True) == set()
    known[ProbeKind.STARTUP].take(Outcome.SUCCESS)
    assert due(known, is_terminating=True) == {ProbeKind.READINESS}


def test_verdicts() -> None:
    """From unknown over started to ready, and to not live with why and how long it has to end."""
    known = histories(
        "startupProbe: {}, readinessProbe: {}, livenessProbe: {failureThreshold: 1, terminationGracePeriodSeconds: 5}"
    )
    assert verdict_of("main", known) == Verdict(started=False, ready=False)
    known[ProbeKind.STARTUP].take(Outcome.SUCCESS)
    assert verdict_of("main", known) == Verdict(started=True, ready=False)
    known[ProbeKind.READINESS].take(Outcome.SUCCESS)
    assert verdict_of("main", known) == Verdict()
    known[ProbeKind.LIVENESS].take(Outcome.FAILURE)
    assert verdict_of("main", known) == Verdict(
        live=False, failure="Container main failed liveness probe", grace_seconds=5
    )


def test_without_probes_all_is_well() -> None:
    """A container that cannot be asked counts as started, ready and live."""
    assert verdict_of("main", {}) == Verdict()


def test_a_startup_probe_that_failed_ends_the_container() -> None:
    """And readiness was never reached."""
    known = histories("startupProbe: {failureThreshold: 1}")
    known[ProbeKind.STARTUP].take(Outcome.FAILURE)
    assert verdict_of("main", known) == Verdict(
        started=False, ready=False, live=False, failure="Container main failed startup probe"
    )


def test_readiness_waits_for_the_start_although_it_was_good() -> None:
    """Ready is what has started and is ready."""
    known = histories("startupProbe: {}, readinessProbe: {}")
    known[ProbeKind.READINESS].take(Outcome.SUCCESS)
    assert not verdict_of("main", known).ready


def test_a_port_that_is_not_open_yet_is_tried_soon() -> None:
    """With growing distances, and never beyond the end of the period."""
    history = one("periodSeconds: 10")
    waits = [early_wait(history, REFUSED, looks, 9.0) for looks in range(14)]
    assert waits[:4] == [0.005, 0.0075, 0.01125, 0.016875]
    assert waits[-2:] == [EARLY_LIMIT_SECONDS, EARLY_LIMIT_SECONDS]
    assert early_wait(history, REFUSED, 1000, 9.0) == EARLY_LIMIT_SECONDS
    assert early_wait(history, REFUSED, 9, 0.1) == 0.1


@pytest.mark.parametrize("kind", ["readiness", "startup", "liveness"])
def test_what_counts_at_once(kind: str) -> None:
    """Liveness, other failures, successes, the end of the period, and whatever comes after a first result."""
    history = one("periodSeconds: 10", kind)
    assert (early_wait(history, REFUSED, 0, 9.0) is None) is (kind == "liveness")
    assert early_wait(history, failure("500"), 0, 9.0) is None
    assert early_wait(history, SUCCESS, 0, 9.0) is None
    assert early_wait(history, REFUSED, 0, 0.0) is None
    history.take(Outcome.SUCCESS)
    assert early_wait(history, REFUSED, 0, 9.0) is None
