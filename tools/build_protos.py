"""Makes the Python code of protos/: messages, readable type stubs, gRPC stubs and indexes.

Run by the build hook on every install and by ``make generate``. The output is not in git. One protoc call
fills one output root in a staging folder; what changed there is then put in place file by file, so that a
build that runs beside another process never shows it half a file, and untouched files keep their age (type
checkers and byte-code caches rely on it).

Where things go is decided by the path alone, which is also the import path:

=======================================================  ==================================
protos/kubewire/{api,rpc,etcd,cri,containerd}/...         clients/kubewire/...
protos/kubewire/<component>/...                           services/kubewire/<component>/...
=======================================================  ==================================

Every client tree gets an ``index.py`` from full message and service names to modules, which lets a process
load only the modules whose messages it meets.
"""

import argparse
import fcntl
import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Final

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

CLIENT_TREES: Final = ("api", "rpc", "etcd", "cri", "containerd")
STAMP: Final = Path(".build/protos.json")
DESCRIPTORS: Final = "descriptors.binpb"

# Each plug-in is run by the interpreter that runs us: in an isolated build nothing else knows its packages.
PLUGINS: Final = {"mypy": "main", "mypy_grpc": "grpc"}


class ProtoBuildError(Exception):
    """The .proto files cannot be built; the message holds protoc's own words."""


@dataclass(frozen=True)
class OutputRoot:
    """One folder that generated code goes to, and the .proto files (relative to protos/) it comes from."""

    folder: Path
    sources: tuple[PurePosixPath, ...]


def build(root: Path, *, force: bool = False) -> bool:
    """Bring the generated code under `root` up to date; False if it already was.

    Raises ProtoBuildError if protoc refuses the sources. Builds that run at once wait for each other.
    """
    stamp = root / STAMP
    with _locked(stamp.with_suffix(".lock")):
        outputs = _output_roots(root)
        digest = _digest(root, outputs)
        previous = _read_stamp(stamp)
        complete = all((root / name).exists() for name in previous.outputs)
        if complete and previous.digest == digest and not force:
            return False
        written = [name for output in outputs for name in _build_root(root, output)]
        _delete_stale(root, previous.outputs, written)
        _replace(stamp, json.dumps({"digest": digest, "outputs": written}).encode())
        return True


# ------------------------------------------------------------------------------------------ what is built


def _output_roots(root: Path) -> list[OutputRoot]:
    protos = root / "protos"
    clients: list[PurePosixPath] = []
    services: list[PurePosixPath] = []
    for path in sorted((protos / "kubewire").rglob("*.proto")):
        source = PurePosixPath(path.relative_to(protos).as_posix())
        (clients if source.parts[1] in CLIENT_TREES else services).append(source)
    if not clients:
        message = f"no .proto files under {protos / 'kubewire'}"
        raise ProtoBuildError(message)
    roots = [OutputRoot(Path("clients"), tuple(clients)), OutputRoot(Path("services"), tuple(services))]
    return [output for output in roots if output.sources]


def _digest(root: Path, outputs: Sequence[OutputRoot]) -> str:
    """Everything the output depends on: sources, this file, the generators' versions."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for package in ("grpcio-tools", "mypy-protobuf", "googleapis-common-protos"):
        digest.update(f"{package}=={version(package)}\n".encode())
    for output in outputs:
        for source in output.sources:
            content = (root / "protos" / source).read_bytes()
            digest.update(f"{output.folder}/{source} {len(content)}\n".encode() + content)
    return digest.hexdigest()


# ------------------------------------------------------------------------------------------- one output root


def _build_root(root: Path, output: OutputRoot) -> list[str]:
    """Generate one output root and put it in place; the paths written, relative to `root`."""
    with tempfile.TemporaryDirectory(prefix="protos-", dir=root / STAMP.parent) as folder:
        staging = Path(folder)
        files = _run_protoc(root, output, staging)
        _drop_empty_grpc_stubs(staging, files)
        _write_packages(staging, output)
        _write_indexes(staging, files)
        return _put_in_place(staging, root / output.folder, root)


def _run_protoc(root: Path, output: OutputRoot, staging: Path) -> list[FileDescriptorProto]:
    plugins = staging.with_name(f"{staging.name}-plugins")
    plugins.mkdir()
    try:
        command = _protoc_command(root, output, staging, plugins)
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    finally:
        shutil.rmtree(plugins)
    if result.returncode != 0:
        raise ProtoBuildError(f"protoc failed for {output.folder}/:\n{result.stderr.strip()}")
    described = staging / DESCRIPTORS
    files = FileDescriptorSet.FromString(described.read_bytes())
    described.unlink()
    return list(files.file)


def _protoc_command(root: Path, output: OutputRoot, staging: Path, plugins: Path) -> list[str]:
    return [
        sys.executable, "-m", "grpc_tools.protoc",
        f"-I{root / 'protos'}", *(f"-I{path}" for path in _include_paths()),
        *(f"--plugin=protoc-gen-{name}={_write_plugin(plugins, name)}" for name in PLUGINS),
        f"--python_out={staging}",
        f"--grpc_python_out={staging}",
        f"--mypy_out=quiet,readable_stubs:{staging}",
        f"--mypy_grpc_out=quiet,readable_stubs,only_async:{staging}",
        f"--descriptor_set_out={staging / DESCRIPTORS}",
        *map(str, output.sources),
    ]  # fmt: skip


def _include_paths() -> list[Path]:
    """Where protoc finds google/protobuf/*.proto and google/rpc/*.proto."""
    return [_package_folder("grpc_tools") / "_proto", _package_folder("google.rpc").parents[1]]


def _package_folder(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ProtoBuildError(f"package {name} is not installed: run `make setup`")
    return Path(next(iter(spec.submodule_search_locations)))


def _write_plugin(folder: Path, name: str) -> Path:
    script = folder / f"protoc-gen-{name}"
    call = f"from mypy_protobuf.main import {PLUGINS[name]} as run; run()"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{call}"\n', encoding="utf-8")
    script.chmod(stat.S_IRWXU)
    return script


def _drop_empty_grpc_stubs(staging: Path, files: Sequence[FileDescriptorProto]) -> None:
    """Remove gRPC modules without content: protoc writes one for every file, service or not."""
    for file in files:
        if not file.service:
            stub = _module_path(staging, file.name, "_pb2_grpc")
            stub.with_suffix(".py").unlink(missing_ok=True)
            stub.with_suffix(".pyi").unlink(missing_ok=True)


def _write_packages(staging: Path, output: OutputRoot) -> None:
    """Make packages of generated folders, from kubewire/<tree> or kubewire/<component>/<version> down.

    The folders above those are the namespace and hand-written packages.
    """
    for folder in sorted({parent for source in output.sources for parent in source.parents}):
        top = 2 if len(folder.parts) > 1 and folder.parts[1] in CLIENT_TREES else 3
        if len(folder.parts) >= top:
            init = f'"""Generated from protos/{folder}."""\n'
            (staging / folder / "__init__.py").write_text(init, encoding="utf-8")
        if len(folder.parts) == top:
            (staging / folder / "py.typed").touch()


def _module_path(folder: Path, source: str, suffix: str) -> Path:
    return folder / f"{source.removesuffix('.proto').replace('-', '_')}{suffix}.py"


# -------------------------------------------------------------------------------------------------- indexes


def _write_indexes(staging: Path, files: Sequence[FileDescriptorProto]) -> None:
    for tree in CLIENT_TREES:
        members = [file for file in files if file.name.startswith(f"kubewire/{tree}/")]
        if members:
            (staging / "kubewire" / tree / "index.py").write_text(_index(tree, members), encoding="utf-8")


def _index(tree: str, files: Sequence[FileDescriptorProto]) -> str:
    modules = sorted(_module_name(file) for file in files)
    messages = {_full_name(file, it.name): _module_name(file) for file in files for it in file.message_type}
    services = {_full_name(file, it.name): _module_name(file) for file in files for it in file.service}
    return "\n".join(
        [
            f'"""Generated from protos/kubewire/{tree}: which module holds which message and service.',
            "",
            "Importing this module imports none of those it names.",
            '"""',
            "",
            "from collections.abc import Mapping",
            "from typing import Final",
            "",
            "# Full names of top-level messages; nested ones live in their parent's module.",
            f"MESSAGES: Final[Mapping[str, str]] = {_literal(messages)}",
            "",
            f"SERVICES: Final[Mapping[str, str]] = {_literal(services)}",
            "",
            f"MODULES: Final[tuple[str, ...]] = {_tuple_literal(modules)}",
            "",
        ]
    )


def _module_name(file: FileDescriptorProto) -> str:
    return f"{file.name.removesuffix('.proto').replace('-', '_').replace('/', '.')}_pb2"


def _full_name(file: FileDescriptorProto, name: str) -> str:
    return f"{file.package}.{name}" if file.package else name


def _literal(names: dict[str, str]) -> str:
    return "{\n" + "".join(f'    "{key}": "{names[key]}",\n' for key in sorted(names)) + "}"


def _tuple_literal(names: Sequence[str]) -> str:
    return "(\n" + "".join(f'    "{name}",\n' for name in names) + ")"


# ------------------------------------------------------------------------------------------- putting in place


def _put_in_place(staging: Path, folder: Path, root: Path) -> list[str]:
    written = []
    for path in sorted(staging.rglob("*")):
        if path.is_file():
            target = folder / path.relative_to(staging)
            content = path.read_bytes()
            if not target.exists() or target.read_bytes() != content:
                _replace(target, content)
            written.append(target.relative_to(root).as_posix())
    return written


def _replace(target: Path, content: bytes) -> None:
    """Write a file so that a reader sees either the old content or the new."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    temporary.write_bytes(content)
    temporary.replace(target)


def _delete_stale(root: Path, previous: Sequence[str], written: Sequence[str]) -> None:
    """Remove what an earlier build wrote and this one did not, and folders left empty by that."""
    for name in sorted(set(previous) - set(written)):
        path = root / name
        path.unlink(missing_ok=True)
        shutil.rmtree(path.parent / "__pycache__", ignore_errors=True)
        while not any(path.parent.iterdir()):
            path = path.parent
            path.rmdir()


# ---------------------------------------------------------------------------------------------------- stamp


@dataclass(frozen=True)
class Stamp:
    """What the last build was made from, and every file it wrote (relative to the project root)."""

    digest: str
    outputs: tuple[str, ...]


def _read_stamp(path: Path) -> Stamp:
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return Stamp(digest="", outputs=())
    return Stamp(digest=content["digest"], outputs=tuple(content["outputs"]))


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line: ``python -m tools.build_protos [--force]``."""
    parser = argparse.ArgumentParser(prog="python -m tools.build_protos", description=__doc__.splitlines()[0])
    parser.add_argument("--force", action="store_true", help="build even if nothing changed")
    options = parser.parse_args(arguments)
    try:
        changed = build(Path(__file__).resolve().parents[1], force=options.force)
    except ProtoBuildError as error:
        print(error, file=sys.stderr)
        return 1
    print("protobuf code: built" if changed else "protobuf code: up to date")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
