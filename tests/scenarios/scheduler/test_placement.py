"""Where pods go, and why they do not: tables of nodes and pods, and what is decided about the pods without a node."""

from random import Random

import pytest

from kubewire.scheduler.decision.scheduling import Scheduling
from kubewire.scheduler.snapshot.snapshot import Snapshot
from kubewire.scheduler.table import PLUGINS
from tests.scheduler_tables import lines, node, pod

SCENARIOS = {
    "the node with most left is taken": (
        "n1 cpu=4\n n2 cpu=8",
        "a cpu=1",
        "a -> n2",
    ),
    "what assumed pods ask for is taken": (
        "n1 cpu=1\n n2 cpu=2",
        "a cpu=1500m\n b cpu=1\n c cpu=1",
        "a -> n2\n b -> n1\n c: 0/2 nodes are available: 2 Insufficient cpu.",
    ),
    "a node is full when it has as many pods as it takes": (
        "n1 pods=1",
        "a\n b",
        "a -> n1\n b: 0/1 nodes are available: 1 Too many pods.",
    ),
    "every lacking resource is told": (
        "n1 cpu=1 memory=1Gi\n n2 cpu=1",
        "a cpu=2 memory=2Gi gpu=1",
        "a: 0/2 nodes are available: 1 Insufficient memory, 2 Insufficient cpu, 2 Insufficient gpu.",
    ),
    "without nodes": ("", "a", "a: no nodes available to schedule pods"),
    "the first filter that refuses a node says why": (
        "n1 taint=gpu=yes:NoSchedule cpu=1\n n2 cordoned cpu=1\n n3 cpu=1",
        "a cpu=2",
        (
            "a: 0/3 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s), "
            "1 node(s) were unschedulable."
        ),
    ),
    "taints keep away who does not tolerate them": (
        "n1 taint=gpu=yes:NoSchedule\n n2 taint=old=:NoExecute",
        "a tolerate=gpu\n b",
        "a -> n1\n b: 0/2 nodes are available: 2 node(s) had untolerated taint(s).",
    ),
    "a taint that prefers no pods is a last resort": (
        "n1 cpu=64 taint=busy=:PreferNoSchedule\n n2 cpu=1",
        "a cpu=500m",
        "a -> n2",
    ),
    "labels are selected": (
        "n1 zone=a\n n2 zone=b\n n3",
        "a select=zone:b\n b avoid=zone:a,b\n c select=zone:c",
        "a -> n2\n b -> n3\n c: 0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector.",
    ),
    "labels are preferred": ("n1 zone=a\n n2 zone=b cpu=8", "a prefer=zone:a", "a -> n1"),
    "host ports are held once a node": (
        "n1\n n2",
        "a port=80 on=n1\n b port=80\n c port=80\n d port=81 select=host:n1",
        "b -> n2\nc: 0/2 nodes are available: 2 node(s) didn't have free ports for the requested pod ports.\nd -> n1",
    ),
    "large images draw their pods": ("n1\n n2 image=web:1@900Mi", "a image=web:1", "a -> n2"),
    "pods are spread over zones": (
        "n1 zone=a\n n2 zone=a\n n3 zone=b cpu=1",
        "x1 app=x on=n1\n x2 app=x spread=zone:1 cpu=1\n x3 app=x spread=zone:1 cpu=1\n x4 app=x spread=zone:1 cpu=1",
        (
            "x2 -> n3\n x3 -> n2\n"
            "x4: 0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't match pod topology spread constraints."
        ),
    ),
    "only domains that a pod can go to count for its spreading": (
        "n1 zone=a\n n2 zone=b",
        "x1 app=x on=n1\n x2 app=x spread=zone:1 select=zone:a",
        "x2 -> n1",
    ),
    "a node without the label is no domain": (
        "n1",
        "a app=x spread=zone:1",
        "a: 0/1 nodes are available: 1 node(s) didn't match pod topology spread constraints (missing required label).",
    ),
    "spreading may be a preference": (
        "n1 zone=a cpu=64\n n2 zone=b cpu=1",
        "x1 app=x on=n1\n x2 app=x on=n1\n x3 app=x spread~=zone:1",
        "x3 -> n2",
    ),
    "one a host": (
        "n1\n n2",
        "a app=x far=app:x@host\n b app=x far=app:x@host\n c app=x far=app:x@host",
        "a -> n1|n2\n b -> n1|n2\nc: 0/2 nodes are available: 2 node(s) didn't match pod anti-affinity rules.",
    ),
    "what runs may not want newcomers": (
        "n1 zone=a\n n2 zone=a\n n3 zone=b",
        "a far=app:x@zone on=n1\n b app=x\n c app=x select=zone:a",
        (
            "b -> n3\n"
            "c: 0/3 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, "
            "2 node(s) didn't satisfy existing pods anti-affinity rules."
        ),
    ),
    "near its database": (
        "n1 zone=a\n n2 zone=b cpu=64\n n3 zone=a cpu=8",
        "db app=db on=n1\n web near=app:db@zone\n lost near=app:cache@zone",
        "web -> n3\n lost: 0/3 nodes are available: 3 node(s) didn't match pod affinity rules.",
    ),
    "the first of a group that wants to be together goes anywhere, the second to it": (
        "n1 zone=a cpu=2\n n2 zone=b cpu=1",
        "a app=x near=app:x@zone cpu=1\n b app=x near=app:x@zone cpu=1",
        "a -> n1\n b -> n1",
    ),
    "nearness may be a preference": (
        "n1 zone=a\n n2 zone=b cpu=64",
        "db app=db on=n1\n a near~=app:db@zone\n b far~=app:db@zone",
        "a -> n1\n b -> n2",
    ),
}


@pytest.mark.parametrize("title", SCENARIOS)
def test_placement(title: str) -> None:
    """Each scenario's title."""
    nodes, pods, expected = SCENARIOS[title]
    snapshot = Snapshot()
    for line in lines(nodes):
        snapshot.set_node(node(line))
    scheduling = Scheduling(snapshot, PLUGINS, Random(1))
    told = []
    for line in lines(pods):
        one = pod(line)
        if one.node_name:
            snapshot.place(one, one.node_name)
            continue
        decision = scheduling.schedule(one)
        if decision.diagnosis is None:
            snapshot.place(one, decision.node_name, is_assumed=True)
            told.append(f"{one.key.name} -> {decision.node_name}")
        else:
            told.append(f"{one.key.name}: {decision.diagnosis.message}")
    wanted = lines(expected)
    assert len(told) == len(wanted)
    for saying, allowed in zip(told, wanted, strict=True):
        head, arrow, names = allowed.partition(" -> ")
        assert saying in ([f"{head} -> {name}" for name in names.split("|")] if arrow else [allowed])
