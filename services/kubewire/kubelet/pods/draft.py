"""A plan while it is made."""

from __future__ import annotations

from kubewire.kubelet.pods.actions import Action
from kubewire.kubelet.pods.picture import Picture, Plan


class Draft:
    """Collects actions, leaving out what is under way or failed just now, and the moment to look again."""

    def __init__(self, picture: Picture) -> None:
        self._picture = picture
        self._actions: list[Action] = []
        self._look_at: float | None = None

    def do(self, action: Action) -> None:
        """Have it done, unless it is being done; if it failed just now, look again when it may be tried."""
        picture = self._picture
        if action.key in picture.busy:
            return
        retry_at = picture.memory.retry_at.get(action.key, 0.0)
        if picture.now < retry_at:
            self.look(retry_at)
        else:
            self._actions.append(action)

    def redo(self, action: Action) -> None:
        """Have it done although one of the same key may be under way: whoever acts compares the two."""
        if action.key in self._picture.busy:
            self._actions.append(action)
        else:
            self.do(action)

    def look(self, at: float) -> None:
        """Look again at this time, or earlier."""
        self._look_at = at if self._look_at is None else min(self._look_at, at)

    def plan(self) -> Plan:
        """What was collected."""
        return Plan(self._actions, self._look_at)
