"""Variables of containers, from specs as users write them."""

import asyncio
from collections.abc import Sequence

import pytest

from kubewire.api.core.v1.config_map_pb2 import ConfigMap
from kubewire.api.core.v1.secret_pb2 import Secret
from kubewire.api.core.v1.service_pb2 import Service
from kubewire.kubelet.environment.environment import SERVICES_WAIT_SECONDS, ContainerEnvironment
from kubewire.kubelet.errors import ContainerConfigError
from kubewire.machinery.errors import service_unavailable
from tests.unit.kubelet.environment.test_service_links import KUBERNETES
from tests.unit.kubelet.manifests import config_map, pod_of, secret, service
from tests.unit.kubelet.objects import KnownObjects, KnownServices

MAP = config_map("settings", color="blue", size="10")
KEYS = secret("keys", token=b"s3cret", binary=b"\xff\x00")


async def variables(
    spec: str,
    *objects: ConfigMap | Secret,
    services: Sequence[Service] = (),
    container: str = "main",
) -> dict[str, str]:
    """All variables of a container of a pod."""
    environment = ContainerEnvironment(
        KnownObjects(*objects), KnownServices(*services), lambda: {"cpu": "2", "memory": "1Gi"}
    )
    found = await environment.variables(pod_of(spec), container, ["10.1.0.7"], "192.168.0.2")
    assert len({name for name, _ in found}) == len(found), "a name stands twice"
    return dict(found)


async def test_values_are_expanded_with_those_before() -> None:
    """A variable may refer to earlier ones, to those of `envFrom` and of Services, and not to later ones."""
    found = await variables(
        """
        containers:
        - name: main
          envFrom: [{configMapRef: {name: settings}}]
          env:
          - {name: A, value: "1"}
          - {name: B, value: "$(A)-$(C)-$(color)-$(DB_SERVICE_HOST)"}
          - {name: C, value: "3"}
        """,
        MAP,
        services=[service("db", "10.0.0.5", ("", 80))],
    )
    assert found["B"] == "1-$(C)-blue-10.0.0.5"


async def test_later_sources_replace_earlier_ones() -> None:
    """`env` counts before `envFrom`, and `envFrom` before Services."""
    found = await variables(
        """
        containers:
        - name: main
          envFrom: [{configMapRef: {name: settings}}, {prefix: P_, secretRef: {name: own}}]
          env: [{name: color, value: red}]
        """,
        config_map("settings", color="blue", KUBERNETES_SERVICE_HOST="mine"),
        secret("own", color=b"green"),
        services=[KUBERNETES],
    )
    assert found["color"] == "red"
    assert found["P_color"] == "green"
    assert found["KUBERNETES_SERVICE_HOST"] == "mine"


async def test_values_from_everywhere() -> None:
    """Keys, fields and resources become values."""
    found = await variables(
        """
        serviceAccountName: robot
        containers:
        - name: main
          resources: {limits: {cpu: 500m}}
          env:
          - {name: COLOR, valueFrom: {configMapKeyRef: {name: settings, key: color}}}
          - {name: TOKEN, valueFrom: {secretKeyRef: {name: keys, key: token}}}
          - {name: NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
          - {name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
          - {name: HOST, valueFrom: {fieldRef: {fieldPath: status.hostIP}}}
          - {name: ACCOUNT, valueFrom: {fieldRef: {fieldPath: spec.serviceAccountName}}}
          - {name: CPU, valueFrom: {resourceFieldRef: {resource: limits.cpu, divisor: 1m}}}
          - {name: SIDE, valueFrom: {resourceFieldRef: {containerName: side, resource: limits.memory}}}
          - {name: EMPTY}
        - {name: side, resources: {limits: {memory: 1Ki}}}
        """,
        MAP,
        KEYS,
    )
    assert found == {
        "COLOR": "blue",
        "TOKEN": "s3cret",
        "NAME": "web",
        "IP": "10.1.0.7",
        "HOST": "192.168.0.2",
        "ACCOUNT": "robot",
        "CPU": "500",
        "SIDE": "1024",
        "EMPTY": "",
    }


async def test_bytes_that_are_no_text_become_replacement_characters() -> None:
    """A binary value in a Secret does not keep a container from starting."""
    found = await variables("containers: [{name: main, envFrom: [{secretRef: {name: keys}}]}]", KEYS)
    assert found["binary"] == "\ufffd\x00"


async def test_optional_objects_and_keys_may_be_missing() -> None:
    """What is optional and not there sets nothing, and leaves an earlier value as it is."""
    found = await variables(
        """
        containers:
        - name: main
          envFrom: [{configMapRef: {name: none, optional: true}}, {secretRef: {name: none, optional: true}}]
          env:
          - {name: KEPT, value: "1"}
          - {name: KEPT, valueFrom: {configMapKeyRef: {name: settings, key: none, optional: true}}}
          - {name: GONE, valueFrom: {secretKeyRef: {name: none, key: token, optional: true}}}
        """,
        MAP,
    )
    assert found == {"KEPT": "1"}


@pytest.mark.parametrize(
    ("container", "message"),
    [
        ("envFrom: [{configMapRef: {name: none}}]", 'configmap "none" not found'),
        ("envFrom: [{secretRef: {name: none}}]", 'secret "none" not found'),
        (
            "env: [{name: A, valueFrom: {configMapKeyRef: {name: settings, key: none}}}]",
            "couldn't find key none in ConfigMap shop/settings",
        ),
        (
            "env: [{name: A, valueFrom: {secretKeyRef: {name: keys, key: none}}}]",
            "couldn't find key none in Secret shop/keys",
        ),
        ("env: [{name: A, valueFrom: {fieldRef: {fieldPath: spec.none}}}]", "variable A: unsupported fieldPath"),
        ("env: [{name: A, valueFrom: {resourceFieldRef: {resource: x.y}}}]", "variable A: unsupported container res"),
        (
            "env: [{name: A, valueFrom: {resourceFieldRef: {containerName: x, resource: limits.cpu}}}]",
            "variable A: pod shop/web has no container 'x'",
        ),
        (
            "env: [{name: A, valueFrom: {fileKeyRef: {volumeName: v, path: p, key: k}}}]",
            "variable A: fileKeyRef is not supported",
        ),
    ],
)
async def test_what_is_missing_is_named(container: str, message: str) -> None:
    """A container whose variables cannot be made says which object, key or field it waits for."""
    with pytest.raises(ContainerConfigError) as raised:
        await variables(f"containers: [{{name: main, {container}}}]", MAP, KEYS)
    assert message in str(raised.value)


async def test_a_server_that_is_away_is_no_missing_object() -> None:
    """Optional objects may be missing, but not unknown: a container would start without them for good."""
    objects = KnownObjects()
    objects.failures["settings"] = service_unavailable("the server is away")
    environment = ContainerEnvironment(objects, KnownServices(), dict)
    pod = pod_of("containers: [{name: main, envFrom: [{configMapRef: {name: settings, optional: true}}]}]")
    with pytest.raises(ContainerConfigError, match="the server is away"):
        await environment.variables(pod, "main", [], "")


async def test_nothing_is_made_before_services_are_known() -> None:
    """A container that started without the variables of Services could never get them."""

    class UnknownServices(KnownServices):
        async def wait_synced(self) -> None:
            await asyncio.sleep(2 * SERVICES_WAIT_SECONDS)

    environment = ContainerEnvironment(KnownObjects(), UnknownServices(), dict)
    with pytest.raises(ContainerConfigError, match="Services have not been read"):
        await environment.variables(pod_of("containers: [{name: main}]"), "main", [], "")


async def test_ephemeral_and_init_containers_have_variables() -> None:
    """Whatever list a container stands in."""
    spec = """
        initContainers: [{name: init, env: [{name: A, value: i}]}]
        ephemeralContainers: [{name: debug, env: [{name: A, value: d}]}]
    """
    assert await variables(spec, container="init") == {"A": "i"}
    assert await variables(spec, container="debug") == {"A": "d"}
