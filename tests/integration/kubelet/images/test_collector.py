"""What a real containerd says of its images, on which it depends which ones may go."""

from collections.abc import Iterator

import pytest

from kubewire.component.metrics.registry import Registry
from kubewire.kubelet.images.collection import Known, Marks, is_removable
from kubewire.kubelet.metrics import KubeletMetrics
from kubewire.kubelet.runtime.cri import CriRuntime
from tests.containerd_process import DEMO_IMAGE, SANDBOX_IMAGE, ContainerdProcess, running_containerd

MARKS = Marks(85, 80, 0)


@pytest.fixture
def containerd() -> Iterator[ContainerdProcess]:
    """A node without network."""
    with running_containerd(with_network=False) as process:
        yield process


async def test_imported_images_and_that_of_sandboxes_stay(containerd: ContainerdProcess) -> None:
    """Images that were built here have no digest, and containerd tells which one sandboxes are made of."""
    runtime = CriRuntime(str(containerd.socket), KubeletMetrics(Registry(), "n1"))
    try:
        images = {tag: image for image in await runtime.images() for tag in image.tags}
        demo = next(image for tag, image in images.items() if tag.endswith(DEMO_IMAGE))
        assert demo.digests == ()
        assert not is_removable(demo, Known((), {demo.id: 0.0}, 1000.0), MARKS)
        own = await runtime.sandbox_image()
        assert own.endswith(SANDBOX_IMAGE)
        assert own in images
        place = await runtime.image_filesystem()
        assert place is not None
        assert place.mountpoint.startswith("/")
    finally:
        await runtime.close()
