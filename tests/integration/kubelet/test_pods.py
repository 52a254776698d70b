"""Pods in a real containerd, from the API server's record to the last trace on disk."""

import asyncio
import sys
from pathlib import Path

import pytest

from kubewire.api.core.v1.event_pb2 import Event
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.client.client import Client
from kubewire.client.resources.options import Selection
from tests.containerd_process import DEMO_IMAGE
from tests.integration.kubelet.conftest import Machine
from tests.integration.kubelet.node_pods import gone, is_ready, left_on_disk, pod_of, seen, when
from tests.kubelet_process import KubeletProcess

pytestmark = pytest.mark.usefixtures("kubelet")

SERVING = f"""
terminationGracePeriodSeconds: 5
containers:
- name: app
  image: {DEMO_IMAGE}
  env: [{{name: MESSAGE, value: Good day}}]
  resources: {{requests: {{cpu: 50m, memory: 16Mi}}, limits: {{memory: 64Mi}}}}
  readinessProbe: {{httpGet: {{path: /healthz, port: 8080}}, periodSeconds: 1}}
"""

UP = "readinessProbe: {exec: {command: [test, -e, /tmp/up]}, periodSeconds: 1}"
"""Ready once its script is where it wants to be."""


def shell(script: str, *, policy: str = "Never", more: str = "") -> str:
    """The spec of a pod with a script."""
    return f"""
    restartPolicy: {policy}
    terminationGracePeriodSeconds: 3
    containers:
    - name: app
      image: {DEMO_IMAGE}
      command: [/bin/sh, -c, {script!r}]
      {more}
    """


async def page_of(machine: Machine, pod: Pod) -> str:
    """What the pod serves, asked for from its node."""
    ask = f"import urllib.request; print(urllib.request.urlopen('http://{pod.status.podIP}:8080/').read().decode())"
    command = machine.node.inside(sys.executable, "-c", ask)
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    return output.decode()


def waits_for(pod: Pod) -> set[str]:
    """Why its containers wait."""
    return {one.state.waiting.reason for one in pod.status.containerStatuses}


def cgroups_of(pod: Pod) -> list[Path]:
    """The pod's cgroups, in all hierarchies."""
    return list(Path("/sys/fs/cgroup").glob(f"**/*{pod.metadata.uid}*"))


async def test_a_pod_serves_and_leaves_nothing_behind(
    machine: Machine, kubelet: KubeletProcess, client: Client
) -> None:
    """It becomes Ready, answers at its address, and when it is deleted nothing of it is left anywhere."""
    made = await client.pods().create(pod_of(machine, "serving", SERVING))
    pod = await when(client, "serving", is_ready)
    assert pod.status.phase == "Running"
    assert pod.status.qosClass == "Burstable"
    assert pod.status.containerStatuses[0].containerID.startswith("containerd://")
    assert (await page_of(machine, pod)).startswith("Good day from serving")
    await gone(client, "serving")
    for _ in range(100):
        if (await seen(machine, made)).is_empty and not left_on_disk(kubelet.root, made):
            break
        await asyncio.sleep(0.05)
    assert (await seen(machine, made)).is_empty
    assert left_on_disk(kubelet.root, made) == []
    assert cgroups_of(made) == []


async def test_a_container_that_fails_says_why_and_waits(machine: Machine, client: Client) -> None:
    """Its exit code, its message and its restarts are told; from the second time on it waits."""
    await client.pods().create(
        pod_of(machine, "failing", shell("echo -n no bread > /dev/termination-log; exit 3", policy="Always"))
    )
    pod = await when(client, "failing", lambda pod: "CrashLoopBackOff" in waits_for(pod))
    status = pod.status.containerStatuses[0]
    assert (status.restartCount, status.lastState.terminated.exitCode) == (1, 3)
    assert status.lastState.terminated.message == "no bread"
    assert status.state.waiting.message.startswith("back-off 10s restarting failed container=app pod=failing_default(")
    await gone(client, "failing")


async def test_a_message_comes_from_the_log_where_that_is_asked_for(machine: Machine, client: Client) -> None:
    """FallbackToLogsOnError: the end of the log of a container that failed without a message."""
    spec = shell("echo out of flour; exit 1", more="terminationMessagePolicy: FallbackToLogsOnError")
    await client.pods().create(pod_of(machine, "logged", spec))
    pod = await when(client, "logged", lambda pod: pod.status.phase == "Failed")
    assert pod.status.containerStatuses[0].state.terminated.message == "out of flour"
    await gone(client, "logged")


async def test_a_container_that_takes_too_much_memory_is_oom_killed(machine: Machine, client: Client) -> None:
    """The kernel ends it, and the status says OOMKilled."""
    spec = shell("exec dd if=/dev/zero of=/dev/null bs=200M count=1", more="resources: {limits: {memory: 32Mi}}")
    await client.pods().create(pod_of(machine, "hungry", spec))
    pod = await when(client, "hungry", lambda pod: pod.status.phase == "Failed")
    ended = pod.status.containerStatuses[0].state.terminated
    assert (ended.reason, ended.exitCode) == ("OOMKilled", 137)
    await gone(client, "hungry")


async def test_containers_get_what_their_spec_says(machine: Machine, client: Client) -> None:
    """User, groups, read-only root, host name, hosts file and cgroup limits are as the spec has them."""
    script = "id -u; id -G; hostname; touch /x 2>/dev/null || echo read-only; grep example.org /etc/hosts; cat $MEMORY"
    spec = f"""
    restartPolicy: Never
    hostname: baker
    hostAliases: [{{ip: 192.0.2.7, hostnames: [example.org]}}]
    securityContext: {{runAsUser: 1234, runAsGroup: 2345, fsGroup: 3456}}
    containers:
    - name: app
      image: {DEMO_IMAGE}
      command: [/bin/sh, -c, '({script}) > /dev/termination-log']
      env: [{{name: MEMORY, value: /sys/fs/cgroup/memory/memory.limit_in_bytes}}]
      securityContext: {{readOnlyRootFilesystem: true}}
      resources: {{limits: {{memory: 64Mi}}}}
    """
    await client.pods().create(pod_of(machine, "furnished", spec))
    pod = await when(client, "furnished", lambda pod: pod.status.phase in {"Succeeded", "Failed"})
    lines = pod.status.containerStatuses[0].state.terminated.message.splitlines()
    assert lines[:5] == ["1234", "2345 3456", "baker", "read-only", "192.0.2.7\texample.org"]
    assert lines[5:] in (["67108864"], [])  # the file is elsewhere with cgroup version 2
    await gone(client, "furnished")


async def test_term_comes_first_and_kill_when_the_grace_period_is_over(machine: Machine, client: Client) -> None:
    """A container that does not listen is killed; one that does says goodbye."""
    await client.pods().create(
        pod_of(machine, "deaf", shell("trap '' TERM; touch /tmp/up; while :; do sleep 1; done", more=UP))
    )
    await client.pods().create(
        pod_of(
            machine,
            "polite",
            shell(
                "trap 'echo -n bye > /dev/termination-log; exit 0' TERM; touch /tmp/up; while :; do sleep 0.1; done",
                more=UP,
            ),
        )
    )
    for name in ("deaf", "polite"):
        await when(client, name, is_ready)
    async with client.pods("default").watch() as events:
        await client.pods("default").delete("deaf")
        await client.pods("default").delete("polite")
        ends: dict[str, tuple[int, str]] = {}
        async for event in events:
            for one in event.object.status.containerStatuses:
                if one.state.HasField("terminated"):
                    ends[event.object.metadata.name] = (one.state.terminated.exitCode, one.state.terminated.message)
            if {"deaf", "polite"} <= ends.keys():
                break
    assert ends["deaf"] == (137, "")
    assert ends["polite"] == (0, "bye")


async def test_an_image_that_cannot_be_pulled_is_told_about(machine: Machine, client: Client) -> None:
    """ErrImagePull, then ImagePullBackOff, with Events; the pod can be deleted all the while."""
    spec = "containers: [{name: app, image: 'localhost/nobody/has-it:1'}]"
    await client.pods().create(pod_of(machine, "imageless", spec))
    await when(client, "imageless", lambda pod: "ImagePullBackOff" in waits_for(pod))
    found = [
        event.reason
        async for event in client.resource(Event, namespace="default").list(
            Selection(field_selector="involvedObject.name=imageless")
        )
    ]
    assert {"Pulling", "Failed", "BackOff"} <= set(found)
    await gone(client, "imageless")


async def test_init_containers_and_sidecars_run_in_order(machine: Machine, client: Client) -> None:
    """Each writes a line into a shared volume; the order is that of the spec."""
    spec = f"""
    restartPolicy: Never
    volumes: [{{name: diary, emptyDir: {{}}}}]
    initContainers:
    - {{name: side, image: {DEMO_IMAGE}, restartPolicy: Always, volumeMounts: [{{name: diary, mountPath: /d}}],
       command: [/bin/sh, -c, "echo side >> /d/d; trap 'exit 0' TERM; while :; do sleep 0.1; done"]}}
    - {{name: step, image: {DEMO_IMAGE}, volumeMounts: [{{name: diary, mountPath: /d}}],
       command: [/bin/sh, -c, 'while [ ! -e /d/d ]; do sleep 0.05; done; echo step >> /d/d']}}
    containers:
    - {{name: app, image: {DEMO_IMAGE}, volumeMounts: [{{name: diary, mountPath: /d}}],
       command: [/bin/sh, -c, 'echo app >> /d/d; cat /d/d > /dev/termination-log']}}
    """
    await client.pods().create(pod_of(machine, "ordered", spec))
    pod = await when(client, "ordered", lambda pod: pod.status.phase in {"Succeeded", "Failed"})
    assert pod.status.phase == "Succeeded"
    assert pod.status.containerStatuses[0].state.terminated.message.split() == ["side", "step", "app"]
    assert [one.state.terminated.exitCode for one in pod.status.initContainerStatuses] == [0, 0]
    await gone(client, "ordered")


async def test_pods_may_share_what_is_the_nodes(machine: Machine, client: Client) -> None:
    """Its network, its processes, all its devices; their address is the node's."""
    spec = f"""
    restartPolicy: Never
    hostNetwork: true
    hostPID: true
    containers:
    - name: app
      image: {DEMO_IMAGE}
      securityContext: {{privileged: true}}
      command: [/bin/sh, -c, '(ip -4 -o addr; ls /proc/1/exe; ls /dev/kmsg) > /dev/termination-log 2>&1']
    """
    await client.pods().create(pod_of(machine, "shared", spec))
    pod = await when(client, "shared", lambda pod: pod.status.phase in {"Succeeded", "Failed"})
    message = pod.status.containerStatuses[0].state.terminated.message
    assert (pod.status.phase, pod.status.podIP) == ("Succeeded", machine.node.address), message
    assert machine.node.address in message
    await gone(client, "shared")


async def test_containers_may_see_each_others_processes(machine: Machine, client: Client) -> None:
    """With a process namespace of the pod's, one of them finds the other."""
    spec = f"""
    restartPolicy: Never
    terminationGracePeriodSeconds: 1
    shareProcessNamespace: true
    containers:
    - {{name: other, image: {DEMO_IMAGE}, command: [/bin/sh, -c, 'exec sleep 12345']}}
    - name: app
      image: {DEMO_IMAGE}
      command:
      - /bin/sh
      - -c
      - until ps | grep -q "[s]leep 12345"; do sleep 0.05; done; echo -n seen > /dev/termination-log
    """
    await client.pods().create(pod_of(machine, "open", spec))
    pod = await when(
        client, "open", lambda pod: any(one.state.HasField("terminated") for one in pod.status.containerStatuses)
    )
    ended = next(one for one in pod.status.containerStatuses if one.state.HasField("terminated"))
    assert (ended.name, ended.state.terminated.message) == ("app", "seen")
    await gone(client, "open")


async def test_an_ephemeral_container_looks_into_a_pod(machine: Machine, client: Client) -> None:
    """It is added to a pod that runs, and sees its network and its target's processes."""
    await client.pods().create(pod_of(machine, "watched", SERVING))
    pod = await when(client, "watched", is_ready)
    added = pod.spec.ephemeralContainers.add(targetContainerName="app").ephemeralContainerCommon
    added.name, added.image = "look", DEMO_IMAGE
    look = "(wget -q -O - http://127.0.0.1:8080/; ps) > /dev/termination-log"
    added.command.extend(["/bin/sh", "-c", look])
    await client.pods("default").update(pod, subresource="ephemeralcontainers")
    pod = await when(
        client,
        "watched",
        lambda pod: any(one.state.HasField("terminated") for one in pod.status.ephemeralContainerStatuses),
    )
    message = pod.status.ephemeralContainerStatuses[0].state.terminated.message
    assert "Good day" in message
    assert "httpd" in message
    assert is_ready(pod)
    await gone(client, "watched")


async def test_hooks_run_in_the_container(machine: Machine, client: Client) -> None:
    """postStart before anybody counts on it, preStop before TERM."""
    spec = f"""
    terminationGracePeriodSeconds: 5
    containers:
    - name: app
      image: {DEMO_IMAGE}
      command: [/bin/sh, -c, "trap 'cat /tmp/hooks > /dev/termination-log; exit 0' TERM; while :; do sleep 0.05; done"]
      lifecycle:
        postStart: {{exec: {{command: [/bin/sh, -c, echo started >> /tmp/hooks]}}}}
        preStop: {{exec: {{command: [/bin/sh, -c, echo stopping >> /tmp/hooks]}}}}
      readinessProbe: {{exec: {{command: [test, -e, /tmp/hooks]}}, periodSeconds: 1}}
    """
    await client.pods().create(pod_of(machine, "hooked", spec))
    await when(client, "hooked", is_ready)
    async with client.pods("default").watch() as events:
        await client.pods("default").delete("hooked")
        async for event in events:
            ended = [one.state.terminated for one in event.object.status.containerStatuses]
            if event.object.metadata.name == "hooked" and ended[0].HasField("finishedAt"):
                assert ended[0].message.split() == ["started", "stopping"]
                break
