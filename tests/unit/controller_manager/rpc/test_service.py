"""What the controller-manager tells of itself."""

from collections.abc import Mapping, Sequence

import pytest

from kubewire.client.controller import Controller, RequeueAfter
from kubewire.client.objects import ObjectKey
from kubewire.controller_manager import table
from kubewire.controller_manager.context import Loops
from kubewire.controller_manager.rpc.service import ControllerManagerService
from kubewire.controller_manager.v1.controller_manager_service_pb2 import (
    GetLeaderRequest,
    GetQueueRequest,
    ListControllersRequest,
)
from kubewire.machinery.errors import Reason, StatusError

NAME = table.CONTROLLERS[0].name


async def _nothing(key: ObjectKey) -> RequeueAfter | None:
    return None


class OneLoop:
    """A controller with one loop."""

    def __init__(self) -> None:
        self.loop = Controller("loop", _nothing)

    @property
    def controllers(self) -> Sequence[Controller]:
        return (self.loop,)

    async def run(self) -> None:
        return


class Manager:
    """Leads, and runs the first controller of the table."""

    identity = leader = "us"
    lease = "kube-system/kube-controller-manager"

    def __init__(self, loops: OneLoop) -> None:
        self.working: Mapping[str, Loops] = {NAME: loops}

    def wanted(self) -> Sequence[table.Entry]:
        return table.CONTROLLERS[:1]


async def test_controllers() -> None:
    """All of the table are told in its order, with what is asked for, what works and how long the queues are."""
    loops = OneLoop()
    loops.loop.queue.add(ObjectKey("default", "web"))
    answer = await ControllerManagerService(Manager(loops)).list_controllers(ListControllersRequest())
    assert [one.name for one in answer.controllers] == [entry.name for entry in table.CONTROLLERS]
    first = answer.controllers[0]
    assert (first.enabled, first.running) == (True, True)
    [queue] = first.queues
    assert (queue.name, queue.waiting, queue.processing) == ("loop", 1, 0)


async def test_queue() -> None:
    """A queue's keys are told in their order, those that are worked on apart; other names are NotFound."""
    loops = OneLoop()
    service = ControllerManagerService(Manager(loops))
    for name in ("a", "b", "c"):
        loops.loop.queue.add(ObjectKey("default", name))
    await loops.loop.queue.get()
    answer = await service.get_queue(GetQueueRequest(name="loop"))
    assert list(answer.waiting) == ["default/b", "default/c"]
    assert list(answer.processing) == ["default/a"]
    with pytest.raises(StatusError) as caught:
        await service.get_queue(GetQueueRequest(name="other"))
    assert caught.value.reason == Reason.NOT_FOUND


async def test_leader() -> None:
    """Who leads, and by which Lease."""
    answer = await ControllerManagerService(Manager(OneLoop())).get_leader(GetLeaderRequest())
    assert (answer.identity, answer.is_self, answer.lease) == ("us", True, "kube-system/kube-controller-manager")
