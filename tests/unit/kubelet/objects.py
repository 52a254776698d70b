"""ConfigMaps, Secrets, tokens and Services of tests, in place of those of an API server."""

from collections.abc import Sequence

from kubewire.api.core.v1.config_map_pb2 import ConfigMap
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.api.core.v1.secret_pb2 import Secret
from kubewire.api.core.v1.service_pb2 import Service
from kubewire.kubelet.contracts import Token
from kubewire.machinery.errors import StatusError, not_found
from kubewire.machinery.gvk import GroupResource


class KnownObjects:
    """Objects of a dictionary; `failures` by name are raised instead."""

    def __init__(self, *objects: ConfigMap | Secret) -> None:
        self.objects = {(type(obj), obj.metadata.namespace, obj.metadata.name): obj for obj in objects}
        self.failures: dict[str, StatusError] = {}
        self.held: dict[str, Pod] = {}

    def put(self, obj: ConfigMap | Secret) -> None:
        """Have another object."""
        self.objects[type(obj), obj.metadata.namespace, obj.metadata.name] = obj

    def hold(self, pod: Pod) -> None:
        self.held[pod.metadata.uid] = pod

    def release(self, pod_uid: str) -> None:
        self.held.pop(pod_uid, None)

    async def config_map(self, namespace: str, name: str) -> ConfigMap:
        found = self._get(ConfigMap, namespace, name)
        assert isinstance(found, ConfigMap)
        return found

    async def secret(self, namespace: str, name: str) -> Secret:
        found = self._get(Secret, namespace, name)
        assert isinstance(found, Secret)
        return found

    def _get(self, kind: type[ConfigMap | Secret], namespace: str, name: str) -> ConfigMap | Secret:
        if name in self.failures:
            raise self.failures[name]
        found = self.objects.get((kind, namespace, name))
        if found is None:
            raise not_found(GroupResource("", f"{kind.__name__.lower()}s"), name)
        return found


class KnownTokens:
    """Tokens that say what they were asked for, good for ten minutes from `now` on."""

    def __init__(self) -> None:
        self.now = 0.0
        self.failure: StatusError | None = None
        self.forgotten: list[str] = []

    async def token(self, pod: Pod, audience: str, expiration_seconds: int) -> Token:
        if self.failure is not None:
            raise self.failure
        value = f"{pod.metadata.name}/{pod.spec.serviceAccountName}/{audience}/{expiration_seconds}@{self.now:g}"
        return Token(value, self.now + 600, self.now + 480)

    def forget(self, pod_uid: str) -> None:
        self.forgotten.append(pod_uid)


class KnownServices:
    """Services of a list."""

    def __init__(self, *services: Service) -> None:
        self.services = services

    async def wait_synced(self) -> None:
        """They are known."""

    def in_namespace(self, namespace: str) -> Sequence[Service]:
        return [service for service in self.services if service.metadata.namespace == namespace]
