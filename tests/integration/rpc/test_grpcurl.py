"""What people do with grpcurl: list, describe, call, watch, and read errors."""

import base64
import json
import re

from tests.integration.rpc.conftest import Grpcurl

SERVICE = "kubewire.rpc.core.v1.ConfigMapService"


def test_list_names_every_service(grpcurl: Grpcurl) -> None:
    """All typed services, the generic one, and what every port has."""
    done = grpcurl.run(grpcurl.server.grpc, "list")
    assert done.returncode == 0, done.stderr
    services = done.stdout.split()
    assert len(services) > 50
    for service in (SERVICE, "kubewire.rpc.v1.ObjectService", "grpc.health.v1.Health"):
        assert service in services
    assert {name for name in services if "reflection" in name} == {
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
    }


def test_every_service_can_be_described(grpcurl: Grpcurl) -> None:
    """Reflection has a descriptor for whatever it lists, its own two versions included."""
    services = grpcurl.run(grpcurl.server.grpc, "list").stdout.split()
    for service in services:
        done = grpcurl.run(grpcurl.server.grpc, "describe", service)
        assert done.returncode == 0, f"{service}: {done.stderr}"
        assert f"service {service.rpartition('.')[2]} {{" in done.stdout


def test_methods_messages_fields_and_enums_can_be_described(grpcurl: Grpcurl) -> None:
    """Anything with a name, methods included."""
    for symbol, words in (
        (f"{SERVICE}.GetConfigMap", "rpc GetConfigMap ( .kubewire.rpc.core.v1.GetConfigMapRequest )"),
        ("k8s.io.api.core.v1.PodSpec", "message PodSpec {"),
        ("k8s.io.api.core.v1.PodSpec.nodeName", "optional string nodeName = 10;"),
        ("kubewire.rpc.v1.PatchType", "enum PatchType {"),
        ("grpc.health.v1.Health.Watch", "rpc Watch"),
        ("grpc.reflection.v1.ServerReflection.ServerReflectionInfo", "rpc ServerReflectionInfo"),
    ):
        done = grpcurl.run(grpcurl.server.grpc, "describe", symbol)
        assert done.returncode == 0, f"{symbol}: {done.stderr}"
        assert words in done.stdout, symbol


def test_an_unknown_symbol_is_not_found(grpcurl: Grpcurl) -> None:
    """The answer says so; the stream goes on."""
    done = grpcurl.run(grpcurl.server.grpc, "describe", "kubewire.rpc.core.v1.Nothing")
    assert done.returncode != 0
    assert "Symbol not found" in done.stderr


def test_an_object_lives(grpcurl: Grpcurl, namespace: str) -> None:
    """Created, read, updated, patched, listed and deleted, each with the JSON form of its messages."""
    config_map = {"metadata": {"name": "a"}, "data": {"key": "one"}}
    created = grpcurl.call(f"{SERVICE}/CreateConfigMap", {"namespace": namespace, "configMap": config_map})
    where = {"namespace": namespace, "name": "a"}
    assert grpcurl.call(f"{SERVICE}/GetConfigMap", where) == created
    patch = base64.b64encode(b'{"data":{"key":"two"}}').decode()
    patched = grpcurl.call(f"{SERVICE}/PatchConfigMap", {**where, "patchType": "PATCH_TYPE_MERGE", "patch": patch})
    assert patched["data"] == {"key": "two"}
    listed = grpcurl.call(f"{SERVICE}/ListConfigMaps", {"namespace": namespace})
    assert listed["items"] == [patched]
    assert grpcurl.call(f"{SERVICE}/DeleteConfigMap", where)["data"] == {"key": "two"}
    assert "items" not in grpcurl.call(f"{SERVICE}/ListConfigMaps", {"namespace": namespace})


def test_errors_carry_the_status(grpcurl: Grpcurl, namespace: str) -> None:
    """Code, message and the Status with its details are printed."""
    request = json.dumps({"namespace": namespace, "name": "none"})
    done = grpcurl.run("-d", request, grpcurl.server.grpc, f"{SERVICE}/GetConfigMap")
    assert done.returncode != 0
    assert "Code: NotFound" in done.stderr
    assert 'Message: configmaps "none" not found' in done.stderr
    assert '"reason":"NotFound"' in done.stderr
    assert '"kind":"configmaps"' in done.stderr


def test_without_a_token_nothing_is_told(grpcurl: Grpcurl) -> None:
    """Neither reflection nor a call."""
    for arguments in (("list",), ("-d", "{}", f"{SERVICE}/ListConfigMaps")):
        done = grpcurl.run(*arguments[:-1], grpcurl.server.grpc, arguments[-1], authorized=False)
        assert done.returncode != 0
        assert "Unauth" in done.stderr


def test_a_watch_streams(grpcurl: Grpcurl, namespace: str) -> None:
    """The initial state, a bookmark that closes it, and the end when its time is over."""
    grpcurl.call(f"{SERVICE}/CreateConfigMap", {"namespace": namespace, "configMap": {"metadata": {"name": "a"}}})
    options = {
        "sendInitialEvents": True,
        "allowWatchBookmarks": True,
        "resourceVersionMatch": "NotOlderThan",
        "timeoutSeconds": "1",
    }
    request = json.dumps({"namespace": namespace, "options": options})
    done = grpcurl.run("-d", request, grpcurl.server.grpc, f"{SERVICE}/WatchConfigMaps")
    assert done.returncode == 0, done.stderr
    types = re.findall(r'"type": "(\w+)"', done.stdout)
    assert types[:2] == ["ADDED", "BOOKMARK"]
    assert "k8s.io/initial-events-end" in done.stdout


def test_a_manifest_is_applied(grpcurl: Grpcurl, namespace: str) -> None:
    """ObjectService takes YAML of several kinds in one call."""
    manifest = (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {key: one}\n"
        "---\napiVersion: v1\nkind: Secret\nmetadata: {name: b}\nstringData: {key: one}\n"
    )
    answer = grpcurl.call(
        "kubewire.rpc.v1.ObjectService/Apply",
        {
            "namespace": namespace,
            "manifest": base64.b64encode(manifest.encode()).decode(),
            "options": {"fieldManager": "tests"},
        },
    )
    results = answer["results"]
    assert isinstance(results, list)
    assert [result["object"]["typeMeta"]["kind"] for result in results] == ["ConfigMap", "Secret"], results
