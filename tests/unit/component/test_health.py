"""Checks of a process, and who is told when readiness turns."""

from kubewire.component.health import Health, Probe, Result, render


def test_live_and_ready_are_different() -> None:
    """A readiness check that fails does not make the process dead."""
    health = Health()
    health.add_liveness("loop", lambda: "")
    health.add_readiness("store", lambda: "gone")
    assert [result.name for result in health.results(Probe.LIVE)] == ["ping", "loop"]
    assert health.results(Probe.READY)[-1] == Result("store", "gone")
    assert not health.is_ready
    assert [result.name for result in health.results(Probe.READY, exclude=("store",))] == ["ping", "loop", "shutdown"]


def test_subscribers_are_told_when_readiness_turns() -> None:
    """They learn what it is when they come, and each time it turns; not when it stays."""
    health, problem, told = Health(), ["starting"], list[bool]()
    health.add_readiness("cache", lambda: problem[0])
    health.subscribe(told.append)
    health.refresh()
    problem[0] = ""
    assert health.refresh()
    health.refresh()
    problem[0] = "lost"
    health.refresh()
    assert told == [False, True, False]


def test_a_stopping_process_is_not_ready() -> None:
    """From the moment it is told to stop it is alive but not ready."""
    health, told = Health(), list[bool]()
    health.refresh()
    health.subscribe(told.append)
    health.stop()
    assert told == [True, False]
    assert not any(result.problem for result in health.results(Probe.LIVE))


def test_probes_are_answered_in_kubernetes_form() -> None:
    """Reasons are withheld: probes are answered to anyone."""
    text = render(Probe.READY, [Result("ping", ""), Result("etcd", "secret")], excluded=["x"])
    assert text == "[+]ping ok\n[-]etcd failed: reason withheld\n[+]x excluded: ok\nreadyz check failed\n"
    assert render(Probe.LIVE, [Result("ping", "")]) == "[+]ping ok\nlivez check passed\n"
