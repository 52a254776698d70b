"""Fields of a pod as text, for variables and for files of the downward API."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.machinery.quoting import quote

_KEYED: Final = re.compile(r"metadata\.(labels|annotations)\['(.*)'\]", re.DOTALL)


class UnknownField(ValueError):
    """A path that names no field of a pod that can be had as text; the API server refuses such pods."""


class Addresses(NamedTuple):
    """What the status has too, but later: the pod's addresses and its node's, the chief one first."""

    pod_ips: Sequence[str] = ()
    host_ips: Sequence[str] = ()


NO_ADDRESSES: Final = Addresses()


def field_text(pod: Pod, path: str, addresses: Addresses = NO_ADDRESSES) -> str:
    """The field at `path`; a label or annotation that is not there is empty.

    Raises:
        UnknownField: there is no such field, or it cannot be had as text.
    """
    read = _FIELDS.get(path)
    if read is not None:
        return read(pod, addresses)
    keyed = _KEYED.fullmatch(path)
    if keyed is None:
        raise UnknownField(f"unsupported fieldPath: {path}")
    of = pod.metadata.labels if keyed[1] == "labels" else pod.metadata.annotations
    return of.get(keyed[2], "")


def _lines(values: Mapping[str, str]) -> str:
    """A line for each, sorted: `key="value"`."""
    return "\n".join(f"{key}={quote(values[key])}" for key in sorted(values))


_Read = Callable[[Pod, Addresses], str]

_FIELDS: Final[Mapping[str, _Read]] = {
    "metadata.name": lambda pod, _: pod.metadata.name,
    "metadata.namespace": lambda pod, _: pod.metadata.namespace,
    "metadata.uid": lambda pod, _: pod.metadata.uid,
    "metadata.labels": lambda pod, _: _lines(pod.metadata.labels),
    "metadata.annotations": lambda pod, _: _lines(pod.metadata.annotations),
    "spec.nodeName": lambda pod, _: pod.spec.nodeName,
    "spec.serviceAccountName": lambda pod, _: pod.spec.serviceAccountName,
    "status.podIP": lambda _, addresses: next(iter(addresses.pod_ips), ""),
    "status.podIPs": lambda _, addresses: ",".join(addresses.pod_ips),
    "status.hostIP": lambda _, addresses: next(iter(addresses.host_ips), ""),
    "status.hostIPs": lambda _, addresses: ",".join(addresses.host_ips),
}
