"""What probes do for users, told second by second.

A container is a line of characters, one a second since it was started: `-` nothing listens yet, `+` well, `x` answers
that it is not, `.` hangs; the last one goes on for ever. A container that is not live is ended and started anew. What
follows is a list of times and turns.
"""

import asyncio

import pytest

from kubewire.client.events.occurrence import Subject
from kubewire.component.metrics.registry import Registry
from kubewire.kubelet.contracts import RunningContainer
from kubewire.kubelet.probes.checks import Target
from kubewire.kubelet.probes.metrics import ProbeMetrics
from kubewire.kubelet.probes.prober import PodProber, Surroundings
from kubewire.kubelet.probes.reply import SUCCESS, Reply, failure
from kubewire.kubelet.probes.spec import ProbeSpec
from tests.unit.kubelet.manifests import pod_of

RESTART_SECONDS = 1.0


class Story:
    """One pod with one container, and what becomes of it."""

    def __init__(self, probes: str, lives: list[str]) -> None:
        self.told: list[str] = []
        self._lives = lives
        self._loop = asyncio.get_running_loop()
        self._pod = pod_of(f"containers: [{{name: main, {probes}}}]")
        self._id = ""
        self._started_at = 0.0
        self._state = ""
        self.prober = PodProber(
            self.check, Surroundings(self.turn, self, ProbeMetrics(Registry()), self._loop.time, lambda: 0.5)
        )

    def start(self) -> None:
        """The container runs, as the next of its lives."""
        number = int(self._id or 0) + 1
        self._id, self._started_at = str(number), self._loop.time()
        self._tell(f"container {number} runs")
        self._sync()

    async def check(self, spec: ProbeSpec, target: Target) -> Reply:
        """Ask the container."""
        line = self._lives[min(int(target.container_id), len(self._lives)) - 1]
        place = int(self._loop.time() - self._started_at + 0.001)
        match line[min(place, len(line) - 1)]:
            case "+":
                return SUCCESS
            case "-":
                return failure("connection refused", refused=True)
            case ".":
                await asyncio.sleep(spec.timeout)
                return failure("no answer")
        return failure("not well")

    def warning(self, about: Subject, reason: str, message: str) -> None:
        """Events are not told here."""

    def turn(self, uid: str) -> None:
        """Do what a kubelet does about a verdict."""
        verdict = self.prober.verdict(self._pod, "main", self._id)
        state = "ready" if verdict.ready else "not ready" if verdict.started else "starting"
        if not verdict.live:
            self._tell(f"ended: {verdict.failure}")
            self._state = ""
            self.prober.sync(self._pod, {}, "10.1.0.7")
            self._loop.call_later(RESTART_SECONDS, self.start)
        elif state != self._state and (state == "ready" or self._state == "ready"):
            self._tell(state)
        self._state = state if verdict.live else ""

    def _sync(self) -> None:
        running = RunningContainer("main", self._id, self._started_at)
        self.prober.sync(self._pod, {"main": running}, "10.1.0.7")
        self._state = ""
        self.turn("")

    def _tell(self, what: str) -> None:
        self.told.append(f"{self._loop.time():.1f} {what}")


async def story(probes: str, *lives: str, seconds: float = 60) -> list[str]:
    """What happens in so many seconds."""
    made = Story(probes, list(lives))
    async with asyncio.TaskGroup() as group:
        task = group.create_task(made.prober.run())
        await asyncio.sleep(0)
        made.start()
        await asyncio.sleep(seconds)
        task.cancel()
    return made.told


def expected(text: str) -> list[str]:
    """A story as tests write it."""
    return [" ".join(line.split()) for line in text.strip().splitlines()]


READINESS = "readinessProbe: {httpGet: {port: 80}, periodSeconds: 5, failureThreshold: 2}"
LIVENESS = "livenessProbe: {httpGet: {port: 80}, periodSeconds: 5, failureThreshold: 2}"
STARTUP = "startupProbe: {httpGet: {port: 80}, periodSeconds: 2, failureThreshold: 15}"


async def test_a_server_that_is_up_soon_is_ready_soon() -> None:
    """It takes traffic the moment its port is open, however long the period is."""
    assert await story(READINESS, "--+") == expected("""
          0.0  container 1 runs
          2.3  ready
    """)


async def test_a_busy_server_gets_no_traffic_and_is_not_restarted() -> None:
    """Readiness takes it out of Services and in again."""
    assert await story(READINESS, "+++++++xxxxxxxxxxxxxxx+") == expected("""
          0.0  container 1 runs
          0.0  ready
         15.0  not ready
         25.0  ready
    """)


async def test_a_hanging_server_is_restarted() -> None:
    """Liveness ends it when two probes in a row were not answered, and the next one is well."""
    assert await story(LIVENESS, "++++++++.", "+") == expected("""
          0.0  container 1 runs
          0.0  ready
         16.0  ended: Container main failed liveness probe
         17.0  container 2 runs
         17.0  ready
    """)


async def test_a_slow_starter_without_a_startup_probe_never_gets_there() -> None:
    """Liveness does not know that it is still starting."""
    told = await story(LIVENESS, "-" * 20 + "+", seconds=14)
    assert told == expected("""
          0.0  container 1 runs
          0.0  ready
          5.0  ended: Container main failed liveness probe
          6.0  container 2 runs
          6.0  ready
         11.0  ended: Container main failed liveness probe
         12.0  container 3 runs
         12.0  ready
    """)


async def test_a_slow_starter_with_a_startup_probe_is_given_its_time() -> None:
    """Liveness waits until it has started, and is quick from then on."""
    told = await story(f"{STARTUP}, {LIVENESS}, {READINESS}", "-" * 20 + "+" * 10 + ".", "+")
    assert told == expected("""
          0.0  container 1 runs
         20.0  ready
         36.0  not ready
         36.0  ended: Container main failed liveness probe
         37.0  container 2 runs
         37.0  ready
    """)


async def test_one_that_never_starts_is_given_up() -> None:
    """After as many failures as its startup probe allows; it was never ready."""
    assert await story(f"{STARTUP}, {READINESS}", "x", seconds=40) == expected("""
          0.0  container 1 runs
         28.0  ended: Container main failed startup probe
         29.0  container 2 runs
    """)


@pytest.mark.parametrize("life", ["+x", "+x+x+x+x+"])
async def test_single_failures_are_nothing(life: str) -> None:
    """A threshold of two forgives one failure at a time."""
    probes = "readinessProbe: {httpGet: {port: 80}, periodSeconds: 1, failureThreshold: 2}"
    told = await story(probes, life, seconds=20)
    assert told == expected("""
          0.0  container 1 runs
          0.0  ready
    """) + (expected("  2.0  not ready") if life == "+x" else [])


async def test_a_restart_begins_from_nothing() -> None:
    """What the container before had is not the next one's: it has to become ready by itself."""
    told = await story(f"{LIVENESS}, {READINESS}", "+++x", "x" * 8 + "+", seconds=20)
    assert told == expected("""
          0.0  container 1 runs
          0.0  ready
         10.0  not ready
         10.0  ended: Container main failed liveness probe
         11.0  container 2 runs
         16.0  ended: Container main failed liveness probe
         17.0  container 3 runs
    """)
