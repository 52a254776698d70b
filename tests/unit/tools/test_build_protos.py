"""The build of the protobuf code, on a project of three small files."""

from pathlib import Path

import pytest

from tools.build_protos import ProtoBuildError, build

POD = """
syntax = "proto2";
package k8s.io.api.core.v1;
// One thing that runs.
message Pod { optional string name = 1; }
"""
POD_SERVICE = """
syntax = "proto3";
package kubewire.rpc.core.v1;
import "google/rpc/status.proto";
import "kubewire/api/core/v1/pod.proto";
message GetPodRequest { string name = 1; google.rpc.Status why = 2; }
service PodService { rpc GetPod(GetPodRequest) returns (k8s.io.api.core.v1.Pod); }
"""
SCHEDULER_SERVICE = """
syntax = "proto3";
package kubewire.scheduler.v1;
message ExplainRequest {}
message ExplainResponse {}
service SchedulerService { rpc Explain(ExplainRequest) returns (ExplainResponse); }
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with an API message, a service on it, and a component's service."""
    write(tmp_path, "kubewire/api/core/v1/pod.proto", POD)
    write(tmp_path, "kubewire/rpc/core/v1/pod_service.proto", POD_SERVICE)
    write(tmp_path, "kubewire/scheduler/v1/scheduler_service.proto", SCHEDULER_SERVICE)
    return tmp_path


def write(project: Path, name: str, text: str) -> None:
    """Put a .proto file into the project."""
    path = project / "protos" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def generated(project: Path) -> set[str]:
    """The generated files, relative to the project."""
    roots = (project / "clients", project / "services")
    return {path.relative_to(project).as_posix() for root in roots for path in root.rglob("*") if path.is_file()}


def test_code_goes_to_the_source_root_its_path_names(project: Path) -> None:
    """The API and its services become client code, a component's own service becomes service code."""
    build(project)
    assert generated(project) == {
        "clients/kubewire/api/__init__.py",
        "clients/kubewire/api/py.typed",
        "clients/kubewire/api/index.py",
        "clients/kubewire/api/core/__init__.py",
        "clients/kubewire/api/core/v1/__init__.py",
        "clients/kubewire/api/core/v1/pod_pb2.py",
        "clients/kubewire/api/core/v1/pod_pb2.pyi",
        "clients/kubewire/rpc/__init__.py",
        "clients/kubewire/rpc/py.typed",
        "clients/kubewire/rpc/index.py",
        "clients/kubewire/rpc/core/__init__.py",
        "clients/kubewire/rpc/core/v1/__init__.py",
        "clients/kubewire/rpc/core/v1/pod_service_pb2.py",
        "clients/kubewire/rpc/core/v1/pod_service_pb2.pyi",
        "clients/kubewire/rpc/core/v1/pod_service_pb2_grpc.py",
        "clients/kubewire/rpc/core/v1/pod_service_pb2_grpc.pyi",
        "services/kubewire/scheduler/v1/__init__.py",
        "services/kubewire/scheduler/v1/py.typed",
        "services/kubewire/scheduler/v1/scheduler_service_pb2.py",
        "services/kubewire/scheduler/v1/scheduler_service_pb2.pyi",
        "services/kubewire/scheduler/v1/scheduler_service_pb2_grpc.py",
        "services/kubewire/scheduler/v1/scheduler_service_pb2_grpc.pyi",
    }


def test_index_names_the_module_of_every_message_and_service(project: Path) -> None:
    """A tree's index maps full names to modules without importing any of them."""
    build(project)
    names: dict[str, object] = {}
    exec((project / "clients/kubewire/rpc/index.py").read_text(), names)
    assert names["MESSAGES"] == {"kubewire.rpc.core.v1.GetPodRequest": "kubewire.rpc.core.v1.pod_service_pb2"}
    assert names["SERVICES"] == {"kubewire.rpc.core.v1.PodService": "kubewire.rpc.core.v1.pod_service_pb2"}
    assert names["MODULES"] == ("kubewire.rpc.core.v1.pod_service_pb2",)


def test_nothing_is_done_twice(project: Path) -> None:
    """A build whose sources did not change does nothing; a lost file is made again."""
    assert build(project)
    assert not build(project)
    (project / "clients/kubewire/api/core/v1/pod_pb2.py").unlink()
    assert build(project)
    assert (project / "clients/kubewire/api/core/v1/pod_pb2.py").exists()


def test_a_change_touches_only_what_follows_from_it(project: Path) -> None:
    """Files whose content stays the same keep their age, so that caches keyed by it stay valid."""
    build(project)
    untouched = project / "clients/kubewire/api/core/v1/pod_pb2.py"
    before = untouched.stat().st_mtime_ns
    write(project, "kubewire/rpc/core/v1/pod_service.proto", POD_SERVICE.replace("string name", "string pod_name"))
    build(project)
    assert untouched.stat().st_mtime_ns == before
    assert "pod_name" in (project / "clients/kubewire/rpc/core/v1/pod_service_pb2.pyi").read_text()


def test_code_of_a_deleted_file_is_deleted(project: Path) -> None:
    """What an earlier build wrote and this one does not is removed, with the folders left empty."""
    build(project)
    (project / "protos/kubewire/scheduler/v1/scheduler_service.proto").unlink()
    build(project)
    assert not any(name.startswith("services/") for name in generated(project))
    assert not (project / "services/kubewire/scheduler/v1").exists()


def test_a_mistake_is_reported_in_the_words_of_the_compiler(project: Path) -> None:
    """A file that does not compile stops the build with its name, line and reason, and replaces nothing."""
    build(project)
    before = generated(project)
    write(project, "kubewire/api/core/v1/pod.proto", POD.replace("string name", "strng name"))
    with pytest.raises(ProtoBuildError, match=r'pod\.proto:5:\d+: "strng" is not defined'):
        build(project)
    assert generated(project) == before
