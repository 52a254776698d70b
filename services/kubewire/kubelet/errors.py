"""Where the kubelet's errors are drawn.

    Exception
    ├── RuntimeCallError        the container runtime refused a call or is away; tried again, later each time
    ├── VolumeError             a volume cannot be set up now; the pod waits and it is tried again
    ├── ContainerConfigError    a container cannot be configured as its spec says (CreateContainerConfigError)
    ├── ImageTrouble            an image is not there; tried again, later each time
    ├── HookError               a lifecycle hook failed
    └── component.errors.StartError
        └── AddressNotListenedOn

What the API server answers is `machinery.errors.StatusError`.
"""

from __future__ import annotations

from kubewire.component.errors import StartError


class RuntimeCallError(Exception):
    """The runtime could not do what was asked; a retry may help.

    Attributes:
        operation: the CRI call, such as `CreateContainer`.
        code: gRPC's name of the code, such as `NOT_FOUND`.
        detail: the runtime's own words.
    """

    def __init__(self, operation: str, code: str, detail: str) -> None:
        super().__init__(f"{operation}: {detail} ({code})")
        self.operation = operation
        self.code = code
        self.detail = detail

    @property
    def is_not_found(self) -> bool:
        """Whether what the call was about is not there."""
        return self.code == "NOT_FOUND"


class VolumeError(Exception):
    """A volume cannot be set up; names it and says what to do. It may be tried again."""


class ContainerConfigError(Exception):
    """A container's configuration cannot be made: which object or key is missing, or what contradicts what."""


class ImageTrouble(Exception):
    """An image is not there.

    Attributes:
        reason: Kubernetes' word for it: ErrImagePull, ImagePullBackOff, ErrImageNeverPull, ImageInspectError.
        retry_seconds: when it may be tried again.
    """

    def __init__(self, reason: str, message: str, retry_seconds: float) -> None:
        super().__init__(message)
        self.reason = reason
        self.retry_seconds = retry_seconds


class HookError(Exception):
    """A postStart or preStop hook failed; a container whose postStart failed is ended."""


class AddressNotListenedOn(StartError):
    """A port of the kubelet's own is taken, or the address is none of this machine's."""
