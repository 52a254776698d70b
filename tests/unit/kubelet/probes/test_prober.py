"""Probes in virtual time: when they are made, and what follows."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from kubewire.client.events.occurrence import Subject
from kubewire.component.metrics.registry import Registry
from kubewire.kubelet.contracts import RunningContainer, Verdict
from kubewire.kubelet.probes.checks import Target
from kubewire.kubelet.probes.metrics import ProbeMetrics
from kubewire.kubelet.probes.prober import PodProber, Surroundings
from kubewire.kubelet.probes.reply import SUCCESS, Outcome, ProbeError, Reply, failure
from kubewire.kubelet.probes.spec import ProbeKind, ProbeSpec
from tests.unit.kubelet.manifests import pod_of

NOT_READY = Verdict(started=True, ready=False)
EPOCH = 1_700_000_000.0

Answer = Callable[[ProbeKind, float], Reply]


class Node:
    """A prober, with containers that answer as the test says.

    Attributes:
        made: probes that were made: kind, container's id, and seconds since the node began.
        told: events: container, reason and message.
        turned: when verdicts turned.
    """

    def __init__(self, answer: Answer, takes_seconds: float) -> None:
        self.answer = answer
        self.made: list[tuple[str, str, float]] = []
        self.told: list[tuple[str, str, str]] = []
        self.turned: list[float] = []
        self.registry = Registry()
        self._takes_seconds = takes_seconds
        self._loop = asyncio.get_running_loop()
        self.prober = PodProber(
            self.check,
            Surroundings(self.turn, self, ProbeMetrics(self.registry), self.wall_clock, lambda: 0.5),
        )

    def wall_clock(self) -> float:
        return EPOCH + self._loop.time()

    def turn(self, uid: str) -> None:
        self.turned.append(round(self._loop.time(), 3))

    def warning(self, about: Subject, reason: str, message: str) -> None:
        self.told.append((about.field_path, reason, message))

    async def check(self, spec: ProbeSpec, target: Target) -> Reply:
        now = round(self._loop.time(), 3)
        self.made.append((spec.kind, target.container_id, now))
        await asyncio.sleep(self._takes_seconds)
        return self.answer(spec.kind, now)

    def times(self, kind: ProbeKind) -> list[float]:
        """When probes of a kind were made."""
        return [at for made, _, at in self.made if made == kind]

    def sync(
        self, probes: str, container_id: str = "id-1", *, started: float | None = None, ip: str = "10.1.0.7"
    ) -> None:
        """Have a pod whose container `main` has these probes and runs since now, or since then."""
        self.pod = pod_of(f"containers: [{{name: main, {probes}}}]")
        self.again(container_id, started=started, ip=ip)

    def again(self, container_id: str, *, started: float | None = None, ip: str = "10.1.0.7") -> None:
        """The same pod, with this container running."""
        at = self.wall_clock() if started is None else EPOCH + started
        self.prober.sync(self.pod, {"main": RunningContainer("main", container_id, at)}, ip)

    def verdict(self, container_id: str = "id-1") -> Verdict:
        """What is known."""
        return self.prober.verdict(self.pod, "main", container_id)


@asynccontextmanager
async def node(answer: Answer = lambda kind, now: SUCCESS, *, takes_seconds: float = 0.0) -> AsyncIterator[Node]:
    """A node whose prober runs."""
    made = Node(answer, takes_seconds)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(made.prober.run())
        await asyncio.sleep(0)
        yield made
        task.cancel()


def fails(kind: ProbeKind, now: float) -> Reply:
    """Never well."""
    return failure("bad")


async def test_the_first_probe_is_made_at_once() -> None:
    """A container is ready as soon as it says so, and then asked once in a period."""
    async with node() as made:
        made.sync("readinessProbe: {httpGet: {port: 80}, periodSeconds: 5}")
        assert made.verdict() == NOT_READY
        await asyncio.sleep(12)
        assert made.times(ProbeKind.READINESS) == [0.0, 5.0, 10.0]
        assert made.verdict() == Verdict()
        assert made.turned == [0.0]


async def test_the_initial_delay_counts_from_the_start() -> None:
    """Also when the prober hears of the container later."""
    async with node() as made:
        await asyncio.sleep(3)
        made.sync("readinessProbe: {httpGet: {port: 80}, initialDelaySeconds: 10}", started=1)
        await asyncio.sleep(20)
        assert made.times(ProbeKind.READINESS) == [11.0, 21.0]


async def test_readiness_follows_the_start_at_once() -> None:
    """A startup probe that succeeds is followed by the others without waiting for their ticks."""
    async with node(lambda kind, now: SUCCESS if now >= 4 else failure("starting")) as made:
        made.sync(
            "startupProbe: {httpGet: {port: 80}, periodSeconds: 2, failureThreshold: 30},"
            "readinessProbe: {httpGet: {port: 80}, periodSeconds: 60},"
            "livenessProbe: {httpGet: {port: 80}, periodSeconds: 60}"
        )
        await asyncio.sleep(10)
        assert made.times(ProbeKind.STARTUP) == [0.0, 2.0, 4.0]
        assert made.times(ProbeKind.READINESS) == made.times(ProbeKind.LIVENESS) == [4.0]
        assert made.verdict() == Verdict()


async def test_a_container_that_is_not_live_is_left_alone_until_it_is_another_one() -> None:
    """Three failures, then silence; a new id is probed from the start."""
    async with node(fails) as made:
        made.sync("livenessProbe: {exec: {command: [check]}, periodSeconds: 1, terminationGracePeriodSeconds: 3}")
        await asyncio.sleep(10)
        assert made.times(ProbeKind.LIVENESS) == [0.0, 1.0, 2.0]
        assert made.verdict() == Verdict(live=False, failure="Container main failed liveness probe", grace_seconds=3)
        assert made.told[-1] == ("spec.containers{main}", "Unhealthy", "Liveness probe failed: bad")
        made.answer = lambda kind, now: SUCCESS
        made.again("id-2")
        assert made.verdict("id-2") == Verdict()
        await asyncio.sleep(1.5)
        assert made.made[3:] == [("Liveness", "id-2", 10.0), ("Liveness", "id-2", 11.0)]


async def test_readiness_comes_and_goes() -> None:
    """It turns after as many failures and successes as the thresholds say."""
    async with node(lambda kind, now: failure("x") if 10 <= now < 20 else SUCCESS) as made:
        made.sync("readinessProbe: {httpGet: {port: 80}, periodSeconds: 1, failureThreshold: 3, successThreshold: 2}")
        await asyncio.sleep(30)
        assert made.turned == [1.0, 12.0, 21.0]


async def test_a_slow_probe_does_not_pile_up() -> None:
    """One at a time; ticks that pass meanwhile are made up for by one."""
    async with node(takes_seconds=2.5) as made:
        made.sync("readinessProbe: {httpGet: {port: 80}, periodSeconds: 1}")
        await asyncio.sleep(9)
        assert made.times(ProbeKind.READINESS) == [0.0, 2.5, 5.0, 7.5]


async def test_a_port_that_opens_soon_costs_no_period() -> None:
    """A refused connection is tried again soon, is not told, and counts for nothing."""
    async with node(lambda kind, now: SUCCESS if now >= 0.1 else failure("refused", refused=True)) as made:
        made.sync("readinessProbe: {httpGet: {port: 80}, periodSeconds: 10, failureThreshold: 1}")
        await asyncio.sleep(1)
        assert len(made.turned) == 1
        assert 0.1 <= made.turned[0] < 0.15
        assert made.told == []
        assert made.verdict() == Verdict()


async def test_a_port_that_does_not_open_is_a_failure_a_period() -> None:
    """With the end of the first period refusals count, one each period."""
    async with node(lambda kind, now: failure("refused", refused=True)) as made:
        made.sync("startupProbe: {httpGet: {port: 80}, periodSeconds: 2, failureThreshold: 3}")
        await asyncio.sleep(20)
        assert made.turned == [6.0]
        assert len(made.told) == 3
        assert not made.verdict().live


async def test_without_an_address_nothing_is_asked() -> None:
    """Commands need none; the others wait for it."""
    async with node() as made:
        made.sync("readinessProbe: {httpGet: {port: 80}}, livenessProbe: {exec: {command: [check]}}", ip="")
        await asyncio.sleep(1)
        assert made.times(ProbeKind.READINESS) == []
        assert made.times(ProbeKind.LIVENESS) == [0.0]
        made.again("id-1")
        await asyncio.sleep(1)
        assert made.times(ProbeKind.READINESS) == [1.0]


async def test_what_cannot_be_made_counts_neither_way() -> None:
    """It is tried three times, told once, and shows in metrics as unknown."""

    def cannot(kind: ProbeKind, now: float) -> Reply:
        raise ProbeError("no port named web")

    async with node(cannot) as made:
        made.sync("livenessProbe: {httpGet: {port: web}, failureThreshold: 1}")
        await asyncio.sleep(1)
        assert len(made.made) == 3
        assert made.told == [
            ("spec.containers{main}", "Unhealthy", "Liveness probe could not be made: no port named web")
        ]
        assert made.verdict() == Verdict()
        assert b'probe_type="Liveness",result="unknown"' in made.registry.render()


async def test_a_warning_is_told_and_counts_as_success() -> None:
    """People should look at it; traffic goes on."""
    async with node(lambda kind, now: Reply(Outcome.SUCCESS, "redirect", warning=True)) as made:
        made.sync("readinessProbe: {httpGet: {port: 80}}")
        await asyncio.sleep(1)
        assert made.told == [("spec.containers{main}", "ProbeWarning", "Readiness probe warning: redirect")]
        assert made.verdict().ready


async def test_long_outputs_are_cut_in_events() -> None:
    """An event's message has a bound."""
    async with node(lambda kind, now: failure("x" * 5000)) as made:
        made.sync("readinessProbe: {httpGet: {port: 80}}")
        await asyncio.sleep(1)
        assert len(made.told[0][2]) == 1024


async def test_forgotten_pods_are_not_probed() -> None:
    """Timers, running probes, verdicts and metrics go; what was being made changes nothing any more."""
    async with node(takes_seconds=1) as made:
        made.sync("readinessProbe: {httpGet: {port: 80}, periodSeconds: 1}")
        await asyncio.sleep(2.5)
        made.prober.forget("uid-1")
        made.prober.forget("uid-1")
        count = len(made.made)
        await asyncio.sleep(10)
        assert len(made.made) == count
        assert b"uid-1" not in made.registry.render()
        assert made.verdict() == NOT_READY


async def test_a_container_that_runs_no_longer_is_not_probed() -> None:
    """What is missing from what runs is left alone."""
    async with node() as made:
        made.sync("readinessProbe: {httpGet: {port: 80}, periodSeconds: 1}")
        await asyncio.sleep(1.5)
        made.prober.sync(made.pod, {}, "10.1.0.7")
        await asyncio.sleep(10)
        assert len(made.made) == 2


async def test_a_pod_that_ends_is_asked_for_readiness_alone() -> None:
    """Its liveness is of no interest any more."""
    async with node() as made:
        made.sync("readinessProbe: {httpGet: {port: 80}}, livenessProbe: {httpGet: {port: 80}}")
        await asyncio.sleep(5)
        made.pod.metadata.deletionTimestamp.seconds = 1
        made.again("id-1")
        await asyncio.sleep(20)
        assert made.times(ProbeKind.READINESS) == [0.0, 10.0, 20.0]
        assert made.times(ProbeKind.LIVENESS) == [0.0]


async def test_the_end_of_the_kubelet_changes_nothing_about_containers() -> None:
    """One that was started and ready is so until a probe says otherwise, and probes are spread over their periods."""
    async with node(fails) as made:
        pod = pod_of(
            "containers: [{name: main, startupProbe: {exec: {command: [a]}},"
            " readinessProbe: {exec: {command: [b]}, failureThreshold: 1}}]"
        )
        pod.status.containerStatuses.add(name="main", containerID="containerd://id-1", started=True, ready=True)
        made.pod = pod
        made.again("id-1", started=-100)
        assert made.verdict() == Verdict()
        await asyncio.sleep(30)
        assert made.times(ProbeKind.STARTUP) == []
        assert made.times(ProbeKind.READINESS) == [5.0, 15.0, 25.0]
        assert made.turned == [5.0]
        assert made.verdict() == NOT_READY


async def test_a_status_of_another_container_says_nothing() -> None:
    """Only what was said of this very container counts."""
    async with node() as made:
        pod = pod_of("containers: [{name: main, readinessProbe: {exec: {command: [b]}}}]")
        pod.status.containerStatuses.add(name="main", containerID="containerd://id-0", started=True, ready=True)
        made.pod = pod
        made.again("id-1", started=-100)
        assert made.verdict() == NOT_READY


async def test_containers_may_be_told_of_before_it_runs() -> None:
    """Start order does not matter."""
    made = Node(lambda kind, now: SUCCESS, 0.0)
    made.sync("readinessProbe: {httpGet: {port: 80}}")
    await asyncio.sleep(5)
    assert made.made == []
    async with asyncio.TaskGroup() as group:
        task = group.create_task(made.prober.run())
        await asyncio.sleep(1)
        assert made.verdict().ready
        task.cancel()


async def test_a_sidecar_is_probed() -> None:
    """Init containers that stay have probes, too, and events say which list they stand in."""
    async with node(fails) as made:
        pod = pod_of("initContainers: [{name: side, restartPolicy: Always, readinessProbe: {exec: {command: [a]}}}]")
        made.prober.sync(pod, {"side": RunningContainer("side", "id-9", EPOCH)}, "")
        await asyncio.sleep(1)
        assert made.told[0][0] == "spec.initContainers{side}"


async def test_waiting_probes_cost_no_tasks() -> None:
    """Thousands of containers between two probes are thousands of timers and nothing else."""
    async with node() as made:
        for number in range(2000):
            pod = pod_of("containers: [{name: main, readinessProbe: {exec: {command: [a]}}}]", uid=f"uid-{number}")
            made.prober.sync(pod, {"main": RunningContainer("main", f"id-{number}", EPOCH)}, "10.1.0.7")
        await asyncio.sleep(5)
        assert len(made.made) == 2000
        assert len(asyncio.all_tasks()) < 5
