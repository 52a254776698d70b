"""What can be done for a pod. A decision is a list of these; each is done beside the others, once at a time.

`key` names the piece of work: while one of the same key is under way, it is not begun again.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SetUpVolumes:
    """Set up the pod's volumes, or bring them up to date."""

    @property
    def key(self) -> str:
        """One at a time."""
        return "volumes"


@dataclass(frozen=True, slots=True)
class CreateSandbox:
    """Make and start a sandbox."""

    attempt: int

    @property
    def key(self) -> str:
        """One at a time."""
        return "sandbox"


@dataclass(frozen=True, slots=True)
class EnsureImage:
    """Have the image of a container there, pulled if its policy asks for it."""

    name: str

    @property
    def key(self) -> str:
        """One a container."""
        return f"image {self.name}"


@dataclass(frozen=True, slots=True)
class StartContainer:
    """Create and start a container in the sandbox."""

    name: str
    attempt: int
    sandbox_id: str
    image_ref: str

    @property
    def key(self) -> str:
        """One a container."""
        return f"start {self.name}"


@dataclass(frozen=True, slots=True)
class KillContainer:
    """End a container: its preStop hook, TERM, and KILL at `deadline` (seconds since the epoch)."""

    id: str
    name: str
    deadline: float
    message: str

    @property
    def key(self) -> str:
        """One a container, whatever its name."""
        return f"kill {self.id}"


@dataclass(frozen=True, slots=True)
class RemoveContainer:
    """Remove a container that does not run."""

    id: str
    name: str

    @property
    def key(self) -> str:
        """One a container."""
        return f"remove {self.id}"


@dataclass(frozen=True, slots=True)
class StopSandbox:
    """End a sandbox and give its addresses back."""

    id: str

    @property
    def key(self) -> str:
        """One a sandbox."""
        return f"stop {self.id}"


@dataclass(frozen=True, slots=True)
class RemoveSandbox:
    """Remove a sandbox that is down and holds nothing any more."""

    id: str

    @property
    def key(self) -> str:
        """One a sandbox."""
        return f"remove {self.id}"


@dataclass(frozen=True, slots=True)
class CleanUp:
    """Remove the pod's volumes."""

    @property
    def key(self) -> str:
        """One at a time."""
        return "clean"


@dataclass(frozen=True, slots=True)
class RemoveRemains:
    """Remove what is left of a pod that is gone: containers, sandboxes, volumes, logs."""

    @property
    def key(self) -> str:
        """One at a time."""
        return "remains"


@dataclass(frozen=True, slots=True)
class DeletePod:
    """Tell the API server that nothing of the pod runs any more."""

    @property
    def key(self) -> str:
        """One at a time."""
        return "delete"


Action = (
    SetUpVolumes
    | CreateSandbox
    | EnsureImage
    | StartContainer
    | KillContainer
    | RemoveContainer
    | StopSandbox
    | RemoveSandbox
    | CleanUp
    | RemoveRemains
    | DeletePod
)
