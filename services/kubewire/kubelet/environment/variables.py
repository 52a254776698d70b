"""From a container's spec, and the objects that it names, to its variables. Pure.

Later ones replace earlier ones of the same name: Services, then `envFrom`, then `env`, each in its own order. A
variable of `env` may refer to those before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from kubewire.api.core.v1.config_map_pb2 import ConfigMap
from kubewire.api.core.v1.container_pb2 import Container
from kubewire.api.core.v1.env_pb2 import EnvFromSource, EnvVar, EnvVarSource
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.api.core.v1.secret_pb2 import Secret
from kubewire.kubelet.environment.containers import container_of
from kubewire.kubelet.environment.expansion import expand
from kubewire.kubelet.environment.named import CONFIG_MAP, SECRET, Found, Named, why_not
from kubewire.kubelet.environment.pod_fields import Addresses, UnknownField, field_text
from kubewire.kubelet.environment.resource_fields import Amounts, UnknownResource, resource_text
from kubewire.kubelet.errors import ContainerConfigError
from kubewire.machinery.errors import Reason, StatusError


class Facts(NamedTuple):
    """What variables are made from besides the container's spec."""

    pod: Pod
    found: Found
    addresses: Addresses
    allocatable: Amounts
    service_variables: Mapping[str, str]


def resolve(container: Container, facts: Facts) -> dict[str, str]:
    """All variables of a container.

    Raises:
        ContainerConfigError: which object or key is missing.
    """
    variables = dict(facts.service_variables)
    for source in container.envFrom:
        variables.update(_all_of(source, facts))
    for variable in container.env:
        value = _value(container, variable, variables, facts)
        if value is not None:
            # A variable that is set anew takes its place among the later ones.
            variables.pop(variable.name, None)
            variables[variable.name] = value
    return variables


def _all_of(source: EnvFromSource, facts: Facts) -> dict[str, str]:
    """Every key of the object a source names, in the order of the keys, with the prefix before it."""
    is_config_map = source.HasField("configMapRef")
    reference = source.configMapRef if is_config_map else source.secretRef
    named = Named(CONFIG_MAP if is_config_map else SECRET, reference.localObjectReference.name)
    found = _object(named, facts, is_optional=reference.optional)
    data = {} if found is None else _data(found)
    return {source.prefix + key: data[key] for key in sorted(data)}


def _value(container: Container, variable: EnvVar, known: Mapping[str, str], facts: Facts) -> str | None:
    """A variable's value; None: it is not set, because what it comes from is optional and not there."""
    if not variable.HasField("valueFrom"):
        return expand(variable.value, known)
    source = variable.valueFrom
    if source.HasField("configMapKeyRef") or source.HasField("secretKeyRef"):
        return _key_value(source, facts)
    try:
        return _field_value(container, source, facts)
    except (UnknownField, UnknownResource, LookupError) as error:
        raise ContainerConfigError(f"variable {variable.name}: {error}") from None


def _field_value(container: Container, source: EnvVarSource, facts: Facts) -> str:
    if source.HasField("fieldRef"):
        return field_text(facts.pod, source.fieldRef.fieldPath, facts.addresses)
    if source.HasField("resourceFieldRef"):
        field = source.resourceFieldRef
        of = container_of(facts.pod, field.containerName) if field.containerName else container
        return resource_text(facts.pod, of, field, facts.allocatable)
    if source.HasField("fileKeyRef"):
        raise UnknownField("fileKeyRef is not supported; use a ConfigMap or Secret")
    return ""


def _key_value(source: EnvVarSource, facts: Facts) -> str | None:
    is_config_map = source.HasField("configMapKeyRef")
    reference = source.configMapKeyRef if is_config_map else source.secretKeyRef
    name = reference.localObjectReference.name
    found = _object(Named(CONFIG_MAP if is_config_map else SECRET, name), facts, is_optional=reference.optional)
    if found is None:
        return None
    data = _data(found)
    if reference.key in data:
        return data[reference.key]
    if reference.optional:
        return None
    kind = "ConfigMap" if is_config_map else "Secret"
    raise ContainerConfigError(f"couldn't find key {reference.key} in {kind} {facts.pod.metadata.namespace}/{name}")


def _object(named: Named, facts: Facts, *, is_optional: bool) -> ConfigMap | Secret | None:
    """The object; None where it may be missing and is.

    Raises:
        ContainerConfigError: it could not be had.
    """
    found = facts.found[named]
    if not isinstance(found, StatusError):
        return found
    if is_optional and found.reason == Reason.NOT_FOUND:
        return None
    raise ContainerConfigError(why_not(named, found))


def _data(found: ConfigMap | Secret) -> Mapping[str, str]:
    """Values as text; a process's configuration is JSON, in which other bytes become replacement characters."""
    if isinstance(found, ConfigMap):
        return found.data
    return {key: value.decode(errors="replace") for key, value in found.data.items()}
