"""`kubewire.scheduler.v1.SchedulerService`: decisions explained, the queue, nodes as they are counted, the leader."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from kubewire.client.objects import ObjectKey
from kubewire.component.grpc.server import Methods, serves
from kubewire.machinery import errors
from kubewire.machinery.gvk import GroupResource
from kubewire.scheduler.cycle.term import Term
from kubewire.scheduler.decision.explanation import Candidate, Refusal, explain
from kubewire.scheduler.pods.pod import pod_info
from kubewire.scheduler.queue.queue import Waiting
from kubewire.scheduler.v1 import scheduler_service_pb2 as messages

_BEST: Final = 10
_BEST_AT_MOST: Final = 1000
_PODS: Final = 1000
_PODS_AT_MOST: Final = 10000


class Told(Protocol):
    """What is told about."""

    @property
    def identity(self) -> str:
        """Who it is among candidates."""
        ...

    @property
    def leader(self) -> str:
        """Who leads."""
        ...

    @property
    def lease(self) -> str:
        """`namespace/name` of the Lease."""
        ...

    @property
    def term(self) -> Term | None:
        """What the present term knows."""
        ...


class SchedulerService:
    """Fills `component.grpc.server.Service`."""

    name: Final = "kubewire.scheduler.v1.SchedulerService"
    module: Final = "kubewire.scheduler.v1.scheduler_service_pb2"

    def __init__(self, told: Told) -> None:
        self._told = told
        self._clock: Callable[[], float] = asyncio.get_running_loop().time

    @property
    def methods(self) -> Methods:
        """By name."""
        return {
            "ExplainPod": serves(messages.ExplainPodRequest, self.explain_pod),
            "ListQueue": serves(messages.ListQueueRequest, self.list_queue),
            "GetNode": serves(messages.GetNodeRequest, self.get_node),
            "GetLeader": serves(messages.GetLeaderRequest, self.get_leader),
        }

    async def explain_pod(self, request: messages.ExplainPodRequest) -> messages.ExplainPodResponse:
        """What would be decided now. A pod that is bound is asked about as if it were not, on all nodes."""
        term, key = self._term(), ObjectKey(request.namespace, request.name)
        found = term.pod(key)
        if found is None:
            raise errors.not_found(GroupResource("", "pods"), str(key))
        pod = pod_info(found)
        evaluation = term.scheduling.evaluation(pod._replace(node_name=""))
        told = explain(term.board.snapshot, evaluation, _bounded(request.limit, _BEST, _BEST_AT_MOST))
        return messages.ExplainPodResponse(
            message=told.diagnosis.message if told.diagnosis else "",
            nodes=told.nodes,
            feasible_nodes=told.feasible,
            best=[_candidate(one) for one in told.best],
            refusals=[_refusal(one) for one in told.refusals],
            bound_to=pod.node_name,
        )

    async def list_queue(self, request: messages.ListQueueRequest) -> messages.ListQueueResponse:
        """All that wait, in the order in which they came."""
        queue, now = self._term().board.queue, self._clock()
        limit = _bounded(request.limit, _PODS, _PODS_AT_MOST)
        return messages.ListQueueResponse(
            pods=[_waiting(one, now) for one in sorted(queue, key=lambda one: (one.since, one.pod.key))[:limit]],
            counts={place.value: count for place, count in queue.counts.items()},
        )

    async def get_node(self, request: messages.GetNodeRequest) -> messages.GetNodeResponse:
        """One row of the snapshot."""
        snapshot = self._term().board.snapshot
        row = snapshot.rows.get(request.name)
        node = None if row is None else snapshot.nodes[row]
        if row is None or node is None:
            raise errors.not_found(GroupResource("", "nodes"), request.name)
        lines = snapshot.amounts.lines
        return messages.GetNodeResponse(
            name=node.name,
            allocatable={name: int(snapshot.amounts.allocatable[line, row]) for name, line in lines.items()},
            requested={name: int(snapshot.amounts.requested[line, row]) for name, line in lines.items()},
            unschedulable=node.is_unschedulable,
            taints=[f"{taint.key}={taint.value}:{taint.effect}" for taint in node.taints],
            pods=[
                messages.NodePod(namespace=key.namespace, name=key.name, assumed=snapshot.placements[key].is_assumed)
                for key in snapshot.pods_on(node.name)
            ],
        )

    async def get_leader(self, _: messages.GetLeaderRequest) -> messages.GetLeaderResponse:
        """From the Lease, as it was last seen."""
        leader = self._told.leader
        return messages.GetLeaderResponse(
            identity=leader, is_self=leader == self._told.identity, lease=self._told.lease
        )

    def _term(self) -> Term:
        term = self._told.term
        if term is None:
            raise errors.service_unavailable(f"this scheduler does not lead: ask {self._told.leader or 'the leader'}")
        return term


def _bounded(asked: int, default: int, at_most: int) -> int:
    return min(asked, at_most) if asked > 0 else default


def _candidate(one: Candidate) -> messages.NodeScore:
    scores = [messages.PluginScore(plugin=name, score=score, weight=weight) for name, score, weight in one.scores]
    return messages.NodeScore(node=one.node_name, score=one.score, plugins=scores)


def _refusal(one: Refusal) -> messages.Refusal:
    return messages.Refusal(plugin=one.plugin, reason=one.reason, nodes=one.refused, examples=one.examples)


def _waiting(one: Waiting, now: float) -> messages.WaitingPod:
    return messages.WaitingPod(
        namespace=one.pod.key.namespace,
        name=one.pod.key.name,
        place=one.place.value,
        priority=one.pod.priority,
        attempts=one.attempts,
        waiting_seconds=now - one.since,
        backoff_seconds=max(0.0, one.ready_at - now),
        message=one.message,
        plugins=sorted(one.refusing),
    )
