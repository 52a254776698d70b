"""`python -m kubewire.cluster.images`: build the images that a cluster brings along, and put them somewhere.

With endpoints (`unix:///...`) into the containerd behind each; with `--save FOLDER` into archives that `ctr images
import` and `docker load` read.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from kubewire.cluster.errors import ClusterError
from kubewire.cluster.images.builtin import build
from kubewire.cluster.images.image import Image, archive
from kubewire.cluster.images.store import import_images


async def _import(endpoints: list[str], images: tuple[Image, ...]) -> None:
    async with asyncio.TaskGroup() as group:
        for endpoint in endpoints:
            group.create_task(import_images(endpoint, images))


def _save(folder: Path, images: tuple[Image, ...]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for image in images:
        file = folder / f"{image.name.rpartition('/')[2].replace(':', '-')}.tar"
        file.write_bytes(archive(image))
        sys.stdout.write(f"{file}\n")


def main(arguments: list[str]) -> int:
    """Exit code 0 if all is where it was wanted."""
    parser = argparse.ArgumentParser(prog="python -m kubewire.cluster.images", description=__doc__)
    parser.add_argument(
        "endpoints", nargs="*", help="sockets of containerd, such as unix:///run/containerd/containerd.sock"
    )
    parser.add_argument("--save", type=Path, help="folder for archives")
    options = parser.parse_args(arguments)
    failed = False
    try:
        images = build()
        if options.save:
            _save(options.save, images)
        asyncio.run(_import(options.endpoints, images))
    except* ClusterError as failures:
        for failure in failures.exceptions:
            sys.stderr.write(f"{failure}\n")
        failed = True
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
