"""What becomes of pods: text diaries of nodes in virtual time."""

import asyncio
import textwrap
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import pytest

from kubewire.kubelet.runtime.simulated import Ending
from tests.scenarios.kubelet.simulated_node import SimulatedNode, pod_of


class Life(NamedTuple):
    """A pod, how its containers end, which probes fail, how long we look, and the diary."""

    pod: str
    seconds: float
    diary: str
    endings: Mapping[str, Ending] = MappingProxyType({})
    sick: frozenset[str] = frozenset()


ONE = "{name: app, image: app:1}"

LIVES = {
    "a pod that runs on": Life(
        f"containers: [{ONE}]",
        60,
        """
        0.0 Pending app=ContainerCreating
        0.0 RunPodSandbox web
        0.0 CreateContainer app
        0.0 StartContainer app
        0.0 Running READY app=running*
        """,
    ),
    "a container that fails again and again waits longer each time": Life(
        f"containers: [{ONE}]",
        75,
        """
        0.0 Pending app=ContainerCreating
        0.0 RunPodSandbox web
        0.0 CreateContainer app
        0.0 StartContainer app
        0.0 Running READY app=running*
        1.0 Running app=Error(3)
        1.0 CreateContainer app
        1.0 StartContainer app
        1.0 Running READY app=running* x1
        2.0 Running app=CrashLoopBackOff x1
        12.0 CreateContainer app
        12.0 StartContainer app
        12.0 Running READY app=running* x2
        12.0 RemoveContainer app
        13.0 Running app=CrashLoopBackOff x2
        33.0 CreateContainer app
        33.0 StartContainer app
        33.0 Running READY app=running* x3
        33.0 RemoveContainer app
        34.0 Running app=CrashLoopBackOff x3
        74.0 CreateContainer app
        74.0 StartContainer app
        74.0 Running READY app=running* x4
        74.0 RemoveContainer app
        """,
        {"app": Ending(1, 3)},
    ),
    "a pod that is never restarted has failed with its container": Life(
        f"{{restartPolicy: Never, containers: [{ONE}]}}",
        60,
        """
        0.0 Pending app=ContainerCreating
        0.0 RunPodSandbox web
        0.0 CreateContainer app
        0.0 StartContainer app
        0.0 Running READY app=running*
        5.0 Failed app=Error(1)
        5.0 StopPodSandbox web
        """,
        {"app": Ending(5, 1)},
    ),
    "restarted on failure only, a pod succeeds once its container does": Life(
        f"{{restartPolicy: OnFailure, containers: [{ONE}]}}",
        60,
        """
        0.0 Pending app=ContainerCreating
        0.0 RunPodSandbox web
        0.0 CreateContainer app
        0.0 StartContainer app
        0.0 Running READY app=running*
        5.0 Running app=Error(1)
        5.0 CreateContainer app
        5.0 StartContainer app
        5.0 Running READY app=running* x1
        10.0 Succeeded app=Completed(0) x1
        10.0 StopPodSandbox web
        """,
        {"app/0": Ending(5, 1), "app/1": Ending(5, 0)},
    ),
    "init containers run one after the other, and again when they fail": Life(
        "{initContainers: [{name: one, image: a:1}, {name: two, image: a:1}], containers: [{name: app, image: app:1}]}",
        60,
        """
        0.0 Pending one=ContainerCreating two=ContainerCreating app=PodInitializing
        0.0 RunPodSandbox web
        0.0 CreateContainer one
        0.0 StartContainer one
        0.0 Pending one=running two=ContainerCreating app=PodInitializing
        2.0 Pending one=Completed(0)* two=ContainerCreating app=PodInitializing
        2.0 CreateContainer two
        2.0 StartContainer two
        2.0 Pending one=Completed(0)* two=running app=PodInitializing
        3.0 Pending one=Completed(0)* two=Error(1) app=PodInitializing
        3.0 CreateContainer two
        3.0 StartContainer two
        3.0 Pending one=Completed(0)* two=running x1 app=PodInitializing
        4.0 Pending one=Completed(0)* two=Completed(0)* x1 app=PodInitializing
        4.0 CreateContainer app
        4.0 StartContainer app
        4.0 Running READY one=Completed(0)* two=Completed(0)* x1 app=running*
        """,
        {"one": Ending(2, 0), "two/0": Ending(1, 1), "two": Ending(1, 0)},
    ),
    "a pod that is never restarted fails with its init container": Life(
        "{restartPolicy: Never, initContainers: [{name: one, image: a:1}], containers: [{name: app, image: app:1}]}",
        60,
        """
        0.0 Pending one=ContainerCreating app=PodInitializing
        0.0 RunPodSandbox web
        0.0 CreateContainer one
        0.0 StartContainer one
        0.0 Pending one=running app=PodInitializing
        2.0 Failed one=Error(7) app=PodInitializing
        2.0 StopPodSandbox web
        """,
        {"one": Ending(2, 7)},
    ),
    "a sidecar starts before the main container and ends after it": Life(
        """
        restartPolicy: Never
        initContainers: [{name: side, image: a:1, restartPolicy: Always}, {name: one, image: a:1}]
        containers: [{name: app, image: app:1}]
        """,
        60,
        """
        0.0 Pending side=ContainerCreating one=ContainerCreating app=PodInitializing
        0.0 RunPodSandbox web
        0.0 CreateContainer side
        0.0 StartContainer side
        0.0 Pending side=running* one=ContainerCreating app=PodInitializing
        0.0 CreateContainer one
        0.0 StartContainer one
        0.0 Pending side=running* one=running app=PodInitializing
        1.0 Pending side=running* one=Completed(0)* app=PodInitializing
        1.0 CreateContainer app
        1.0 StartContainer app
        1.0 Running READY side=running* one=Completed(0)* app=running*
        6.0 Running side=running* one=Completed(0)* app=Completed(0)
        6.0 StopContainer side 30
        6.0 Succeeded side=Error(143) one=Completed(0)* app=Completed(0)
        6.0 StopPodSandbox web
        """,
        {"one": Ending(1, 0), "app": Ending(5, 0)},
    ),
    "a sidecar that ends is started again beside the others": Life(
        """
        initContainers: [{name: side, image: a:1, restartPolicy: Always}]
        containers: [{name: app, image: app:1}]
        """,
        20,
        """
        0.0 Pending side=ContainerCreating app=PodInitializing
        0.0 RunPodSandbox web
        0.0 CreateContainer side
        0.0 StartContainer side
        0.0 Pending side=running* app=PodInitializing
        0.0 CreateContainer app
        0.0 StartContainer app
        0.0 Running READY side=running* app=running*
        4.0 Running side=Error(1) app=running*
        4.0 CreateContainer side
        4.0 StartContainer side
        4.0 Running READY side=running* x1 app=running*
        """,
        {"side/0": Ending(4, 1)},
    ),
    "a container that fails its liveness probe is started again": Life(
        """
        terminationGracePeriodSeconds: 7
        containers: [{name: app, image: app:1, livenessProbe: {periodSeconds: 5, failureThreshold: 2, timeoutSeconds: 1,
                      successThreshold: 1, tcpSocket: {port: 80}}}]
        """,
        12,
        """
        0.0 Pending app=ContainerCreating
        0.0 RunPodSandbox web
        0.0 CreateContainer app
        0.0 StartContainer app
        0.0 Running READY app=running*
        5.0 StopContainer app 7
        5.0 Running app=Error(143)
        5.0 CreateContainer app
        5.0 StartContainer app
        5.0 Running READY app=running* x1
        10.0 StopContainer app 7
        10.0 Running app=CrashLoopBackOff x1
        """,
        sick=frozenset({"app liveness"}),
    ),
    "a pod that is not ready runs all the same": Life(
        """
        containers:
        - {name: app, image: app:1, readinessProbe: {periodSeconds: 5, failureThreshold: 2, timeoutSeconds: 1,
                                                     successThreshold: 1, tcpSocket: {port: 80}}}
        """,
        12,
        """
        0.0 Pending app=ContainerCreating
        0.0 RunPodSandbox web
        0.0 CreateContainer app
        0.0 StartContainer app
        0.0 Running app=running
        """,
        sick=frozenset({"app readiness"}),
    ),
    "a pod that runs too long has failed": Life(
        f"{{activeDeadlineSeconds: 20, terminationGracePeriodSeconds: 5, containers: [{ONE}]}}",
        60,
        """
        0.0 Pending app=ContainerCreating
        0.0 RunPodSandbox web
        0.0 CreateContainer app
        0.0 StartContainer app
        0.0 Running READY app=running*
        20.0 Running:DeadlineExceeded READY app=running*
        20.0 StopContainer app 5
        23.0 Failed:DeadlineExceeded app=Error(143)
        23.0 StopPodSandbox web
        """,
        {"app": Ending(stop_seconds=3)},
    ),
    "an image that is never pulled is waited for": Life(
        "containers: [{name: app, image: missing:1, imagePullPolicy: Never}]",
        15,
        """
        0.0 Pending app=ContainerCreating
        0.0 RunPodSandbox web
        0.0 Pending app=ErrImageNeverPull
        """,
    ),
    "a pod of two containers has failed when one did and both have ended": Life(
        "{restartPolicy: Never, containers: [{name: app, image: app:1}, {name: aid, image: app:1}]}",
        60,
        """
        0.0 Pending app=ContainerCreating aid=ContainerCreating
        0.0 RunPodSandbox web
        0.0 CreateContainer app
        0.0 StartContainer app
        0.0 CreateContainer aid
        0.0 StartContainer aid
        0.0 Running READY app=running* aid=running*
        5.0 Running app=Completed(0) aid=running*
        8.0 Failed app=Completed(0) aid=Error(2)
        8.0 StopPodSandbox web
        """,
        {"app": Ending(5, 0), "aid": Ending(8, 2)},
    ),
    "a container's own policy goes before the pod's": Life(
        """
        restartPolicy: Never
        containers: [{name: app, image: app:1, restartPolicy: OnFailure}, {name: aid, image: a:1}]
        """,
        60,
        """
        0.0 Pending app=ContainerCreating aid=ContainerCreating
        0.0 RunPodSandbox web
        0.0 CreateContainer app
        0.0 StartContainer app
        0.0 CreateContainer aid
        0.0 StartContainer aid
        0.0 Running READY app=running* aid=running*
        2.0 Running app=running* aid=Completed(0)
        5.0 Running app=Error(1) aid=Completed(0)
        5.0 CreateContainer app
        5.0 StartContainer app
        5.0 Running app=running* x1 aid=Completed(0)
        8.0 Succeeded app=Completed(0) x1 aid=Completed(0)
        8.0 StopPodSandbox web
        """,
        {"app/0": Ending(5, 1), "app/1": Ending(3, 0), "aid": Ending(2, 0)},
    ),
    "a container's rules say which codes have it run again": Life(
        """
        restartPolicy: Never
        containers:
        - {name: app, image: app:1, restartPolicy: Never,
           restartPolicyRules: [{action: Restart, exitCodes: {operator: In, values: [42]}}]}
        """,
        60,
        """
        0.0 Pending app=ContainerCreating
        0.0 RunPodSandbox web
        0.0 CreateContainer app
        0.0 StartContainer app
        0.0 Running READY app=running*
        5.0 Running app=Error(42)
        5.0 CreateContainer app
        5.0 StartContainer app
        5.0 Running READY app=running* x1
        8.0 Failed app=Error(1) x1
        8.0 StopPodSandbox web
        """,
        {"app/0": Ending(5, 42), "app/1": Ending(3, 1)},
    ),
}


async def lived(life: Life) -> str:
    """The diary of a life."""
    node = SimulatedNode()
    node.endings.update(life.endings)
    node.sick.update(life.sick)
    node.runtime.missing.add("missing:1")
    node.add(pod_of(life.pod))
    async with node.running():
        await asyncio.sleep(life.seconds)
    return node.diary.text


@pytest.mark.parametrize("name", LIVES)
async def test_lives(name: str) -> None:
    """Each pod lives as its diary says."""
    assert await lived(LIVES[name]) == textwrap.dedent(LIVES[name].diary).strip()
